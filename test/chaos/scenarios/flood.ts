/**
 * One owner floods the platform; what the clients of another owner notice of it is measured against the idle platform
 * of the same run, also while a worker dies. The flood is 60 jobs of five minutes per queue and worker slot group,
 * which hold everything that one owner may hold, and thousands of short ones behind them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { formatDirectives } from "../../../scripts/model-server/client.ts";
import { inParallel } from "../../support/in-parallel.ts";
import { request } from "../connection.ts";
import { makeQuestion } from "../question.ts";
import { FLOOD_KEY } from "../stack.ts";
import { anyWorker, type Context, type Scenario } from "./scenario.ts";

const WORKERS = 3;
const SLOTS = { chat: 20, execute: 20 } as const;
type Kind = keyof typeof SLOTS;
const KINDS: readonly Kind[] = ["chat", "execute"];

/** Jobs measured on the idle platform, and during each phase of the flood. */
const MEASURED = 20;
const AT_ONCE = 32;
/** How long the platform may need for what is left of the flood when its long jobs are cancelled. */
const DRAIN_WITHIN_MS = 5 * MINUTE;

const SHORT = formatDirectives({ text: "A short answer", rate: 20 });
const LONG = formatDirectives({ text: "word ".repeat(3_000), rate: 10 });
const owned = { headers: { Authorization: `Bearer ${FLOOD_KEY}` } };

export const flood: Scenario = {
  about: "10000 jobs of one owner wait behind that owner's long ones; another owner's first tokens, and a worker dies",
  stack: { apis: 2, workers: WORKERS, workerEnv: envOf() },
  bounds: { "later than when idle": { share: 0.95, withinMs: SECOND } },
  async run(context) {
    const { options, faults, progress, record } = context;
    const count = options.times ?? 10_000;
    await measure(context, "warm-up");
    const idle = await measure(context, "idle");
    const idleMs = idle.toSorted((a, b) => a - b)[Math.floor(idle.length / 2)] ?? 0;
    progress(`first token of a job on the idle platform: ${idleMs.toFixed(0)} ms`);

    async function measureAgainstIdle(phase: string): Promise<void> {
      const took = await measure(context, phase);
      for (const ms of took) record.write({ type: "timing", value: { what: "flood", ms: Math.max(0, ms - idleMs) } });
      const worst = Math.max(...took);
      progress(`${phase}: at most ${worst.toFixed(0)} ms, ${(worst / idleMs).toFixed(1)} times that when idle`);
    }

    const long = await post(
      context,
      KINDS.flatMap((kind) => Array.from({ length: 2 * WORKERS * SLOTS[kind] }, () => kind)),
      LONG,
    );
    await measureAgainstIdle("long jobs");
    const posting = post(
      context,
      Array.from({ length: count }, (_, at) => KINDS[at % 2] as Kind),
      SHORT,
    );
    await measureAgainstIdle("while the flood is posted");
    const short = await posting;
    progress(`${short.length} jobs wait behind ${long.length} long ones`);
    await measureAgainstIdle("while the flood waits");
    const killed = faults.kill(anyWorker(context), 5 * SECOND);
    await measureAgainstIdle("a worker is dead");
    await killed;
    // Longer than the locks of the dead worker's jobs.
    await delay(25 * SECOND);
    await measureAgainstIdle("its jobs have started again");
    await inParallel(AT_ONCE, long, (jobId) => cancel(context, jobId));
    await measureAgainstIdle("while the short jobs run");
    await faults.settle(DRAIN_WITHIN_MS);
  },
};

function envOf(): NodeJS.ProcessEnv {
  return { WORKER_CHAT_CONCURRENCY: String(SLOTS.chat), WORKER_EXECUTE_CONCURRENCY: String(SLOTS.execute) };
}

/** The jobs' ids; a job that is refused for a while is posted again. */
function post({ stack, options }: Context, kinds: readonly Kind[], text: string): Promise<string[]> {
  return inParallel(AT_ONCE, kinds, async (kind, at) => {
    const [path, body] =
      kind === "chat"
        ? ["/chat/completions", { agent_type: "chat_basic", message: text }]
        : ["/agents/chat_basic/execute", { task: text }];
    const headers = { ...owned.headers, "Idempotency-Key": `flood-${options.seed}-${text.length}-${at}` };
    for (;;) {
      const { origin } = stack.apis[at % stack.apis.length] as Context["stack"]["apis"][number];
      const response = await request(origin, path, { method: "POST", headers, body: JSON.stringify(body) });
      await response.body?.cancel();
      const jobId = response.headers.get("x-job-id");
      if (response.ok && jobId !== null) return jobId;
      if (response.status !== 503) throw new Error(`the flood was answered with ${response.status}`);
      await delay(SECOND);
    }
  });
}

async function cancel({ stack }: Context, jobId: string): Promise<void> {
  const [api] = stack.apis;
  const response = await request(api?.origin ?? "", `/jobs/${jobId}/cancel`, { method: "POST", body: "{}", ...owned });
  await response.body?.cancel();
}

/** From the request to the first token of jobs of the other owner, one after the other, chats and execute jobs, ms. */
async function measure({ client, record, random }: Context, phase: string): Promise<number[]> {
  const took: number[] = [];
  for (let no = 0; no < MEASURED; no++) {
    const label = `${phase.replaceAll(" ", "-")}-${no}`;
    const question = makeQuestion({ label, words: 3, rate: 0, effectsFile: null }, random);
    const startedAt = performance.timeOrigin + performance.now();
    const kind = KINDS[no % 2] as Kind;
    const transcript = await client.ask({ question, kind, reads: "stream", cuts: [], api: no });
    const chunks = transcript.connections.flatMap((connection) => connection.chunks);
    const first = chunks.find(([, text]) => text.includes("event: message"));
    if (first !== undefined) took.push(first[0] - startedAt);
    record.write({ type: "transcript", value: transcript });
  }
  return took;
}
