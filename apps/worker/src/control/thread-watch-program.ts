/**
 * The thread beside the main thread of a worker. It says every second that the process lives, renews the locks of its
 * jobs, and watches the main thread. Once the event loop stands still, it asks the main thread which run it executes:
 * the question interrupts what runs, as a debugger's would, and opens no port. What it learns is written into Redis, so
 * that the workers that take over know which job to blame.
 */
import { writeSync } from "node:fs";
import { Session } from "node:inspector";
import { parentPort, workerData } from "node:worker_threads";
import { connectRedis } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { type Block, type BlockSample, createBlockJudge } from "./block-judge.ts";
import { createBlockReports } from "./block-reports.ts";
import { createThreadBeats } from "./thread-beats.ts";
import {
  ANSWER_SYMBOL,
  type FromThread,
  SHARED,
  type ThreadWatchData,
  type ToThread,
} from "./thread-watch-protocol.ts";

const TICK_MS = SECOND;
/**
 * So many ticks a busy worker keeps its jobs. Twice as long as it takes to be sure whom to blame, and as long as the
 * readers of its streams wait rather than start over.
 */
const GIVE_UP_FROM = 20;
/** The worker has no lock left by then, and its supervisor can start one that works. */
const KILL_FROM = 60;
/** As long as the run is not known, the jobs that it interrupted wait for its name; the others work meanwhile. */
const KILL_UNKNOWN_FROM = 300;
const STANDARD_ERROR = 2;
/** The thread has no log of its own: its process reports a block when it can again. */
const SILENT = { info: () => {}, warn: () => {} };

const tell = (message: FromThread) => parentPort?.postMessage(message);

if (parentPort !== null) watch(workerData);

function watch({ shared, topology, prefix, name, isDebugged }: ThreadWatchData): void {
  const judge = createBlockJudge();
  const keys = createRedisKeys(prefix);
  const redis = connectRedis({ topology, keys, role: "worker", name: `${name}:watch`, logger: SILENT });
  const beats = createThreadBeats(redis, keys, (locks) => tell({ kind: "lost", locks }));
  const reports = createBlockReports(redis, keys, name);
  let session: Session | null = null;

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
    if (verdict.kind === "run") reports.note(verdict.run);
    if (verdict.kind === "unknown") void reports.announceUnknown();
    if (!isOver) {
      if (ticks >= (verdict.kind === "unknown" ? KILL_UNKNOWN_FROM : KILL_FROM)) kill(name, block);
      return;
    }
    // The answer comes with the return from the native call.
    if (verdict.kind === "unknown") return;
    tell({ kind: "block", block });
    reports.reset();
  }

  const ticking = setInterval(() => {
    const block = judge.tick(Atomics.load(shared, SHARED.beats));
    beats.tick(judge.ticks(), isDebugged ? Number.POSITIVE_INFINITY : GIVE_UP_FROM);
    if (isDebugged) return;
    handle(block);
    if (judge.shouldAsk()) ask();
  }, TICK_MS);

  async function leave(): Promise<void> {
    clearInterval(ticking);
    await beats.leave().catch(() => {});
    Atomics.store(shared, SHARED.left, 1);
    Atomics.notify(shared, SHARED.left);
  }

  parentPort?.on("message", (message: ToThread) => {
    if (message.kind === "record") beats.setRecord(message.record);
    else if (message.kind === "locks") beats.changeLocks(message.changes);
    else void leave();
  });
}

/** Nothing else can end a thread that never yields; signals that a process handles itself wait for its event loop. */
function kill(name: string, { verdict, ticks }: Block): void {
  const who = verdict.kind === "run" ? ` by the job ${verdict.run.jobId} (${verdict.run.agentType})` : "";
  writeSync(STANDARD_ERROR, `${name}: its thread has been blocked for ${ticks} s${who}; killed\n`);
  process.kill(process.pid, "SIGKILL");
}
