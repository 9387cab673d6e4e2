/**
 * The thread that watches the main thread of a worker. Once the event loop stands still, it asks the main thread which
 * run it executes: the question interrupts what runs, as a debugger's would, and opens no port. What it learns is
 * written into Redis, so that the workers that take over know which job to blame.
 */
import { writeSync } from "node:fs";
import { Session } from "node:inspector";
import { parentPort, workerData } from "node:worker_threads";
import { SECOND } from "@agent-paas/shared/time.ts";
import { type Block, type BlockSample, createBlockJudge } from "./block-judge.ts";
import type { BlockReports } from "./block-reports.ts";
import { ANSWER_SYMBOL, type ThreadWatchData } from "./thread-watch-protocol.ts";

const TICK_MS = SECOND;
/** The worker has no lock left by then, and its supervisor can start one that works. */
const KILL_FROM = 60;
/** As long as the run is not known, the jobs that it interrupted wait for its name; the others work meanwhile. */
const KILL_UNKNOWN_FROM = 300;
const STANDARD_ERROR = 2;

if (parentPort !== null) watch(workerData);

function watch({ beats, ...target }: ThreadWatchData): void {
  const judge = createBlockJudge();
  let session: Session | null = null;
  let reports: Promise<BlockReports> | null = null;
  const report = (write: (reports: BlockReports) => void) => {
    reports ??= import("./block-reports.ts").then(({ openBlockReports }) => openBlockReports(target));
    reports.then(write).catch(() => {});
  };

  function ask(): void {
    // One question at a time: in a native call none is answered before the call ends.
    if (session !== null) return;
    const own = new Session();
    session = own;
    own.connectToMainThread();
    const expression = `globalThis[Symbol.for(${JSON.stringify(ANSWER_SYMBOL)})]()`;
    own.post("Runtime.evaluate", { expression, returnByValue: true }, (_, reply) => {
      own.disconnect();
      session = null;
      const text: unknown = reply?.result.value;
      if (typeof text !== "string") return;
      const sample: BlockSample = JSON.parse(text);
      handle(judge.answer(sample));
    });
  }

  function handle(block: Block | null): void {
    if (block === null) return;
    const { verdict, ticks, isOver } = block;
    if (verdict.kind === "run") report((open) => open.note(verdict.run));
    if (verdict.kind === "unknown") report((open) => open.announceUnknown());
    if (!isOver) {
      if (ticks >= (verdict.kind === "unknown" ? KILL_UNKNOWN_FROM : KILL_FROM)) kill(target.name, block);
      return;
    }
    // The answer comes with the return from the native call.
    if (verdict.kind === "unknown") return;
    parentPort?.postMessage(block);
    reports?.then((open) => open.close()).catch(() => {});
    reports = null;
  }

  setInterval(() => {
    handle(judge.tick(Atomics.load(beats, 0)));
    if (judge.shouldAsk()) ask();
  }, TICK_MS);
}

/** Nothing else can end a thread that never yields; signals that a process handles itself wait for its event loop. */
function kill(name: string, { verdict, ticks }: Block): void {
  const who = verdict.kind === "run" ? ` by the job ${verdict.run.jobId} (${verdict.run.agentType})` : "";
  writeSync(STANDARD_ERROR, `${name}: its thread has been blocked for ${ticks} s${who}; killed\n`);
  process.kill(process.pid, "SIGKILL");
}
