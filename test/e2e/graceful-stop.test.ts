/**
 * Workers and APIs are stopped under load, as in a rolling restart. Proves I1 and I2 over the restart: a worker that
 * stops starts no job; a running job ends there or is requeued without using up a retry; clients reconnect to another
 * API and miss no event; and every process exits by itself with code 0.
 */
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Child } from "../../scripts/services/child.ts";
import type { Json } from "../support/api-client.ts";
import { isFetching, waitingJobIds } from "../support/bullmq.ts";
import { expectNumbered, expectWholeStream } from "../support/expect-stream.ts";
import { inParallel } from "../support/in-parallel.ts";
import { type ApiProcess, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { readDatabase } from "../support/platform-state.ts";
import { scriptedQuestion } from "../support/scripted-question.ts";
import { seededRandom } from "../support/seeded-random.ts";
import type { SseEvent, SseStream } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

const GRACE_MS = 3_000;
/** The documented limit. A process that takes longer is killed, and its exit code is then not 0. */
const STOP_WITHIN_MS = 30_000;
const CLEAN_EXIT = { code: 0, signal: null };
/** Execute jobs at once per worker. */
const CONCURRENCY = 8;
/**
 * Starts between the list of jobs and the step in which the worker closes its queues; after that step there is none. A
 * worker that took that step only after its grace time would start 60.
 */
const MAX_LATE_STARTS = 2 * CONCURRENCY;

let platform: TestPlatform;
beforeEach(async () => {
  platform = await startTestPlatform({
    apis: 2,
    env: { SHUTDOWN_GRACE_MS: String(GRACE_MS), WORKER_EXECUTE_CONCURRENCY: String(CONCURRENCY) },
  });
});
afterEach(() => platform.stop());

const random = seededRandom(7);

type Row = Pick<JobRow, "id" | "status" | "attempts" | "worker">;

const rowsOf = (jobIds: readonly string[]): Promise<Row[]> =>
  readDatabase(platform, (db) => db("agent_logs").whereIn("id", jobIds).select("id", "status", "attempts", "worker"));

const executeMany = (count: number, task: string): Promise<string[]> =>
  inParallel(8, Array.from({ length: count }), (_, at) => platform.alice.execute(`${task} ${at}`));

const workerOne = () => platform.workers[0] as Child;

test("a worker that is stopped starts no job, finishes short jobs, and requeues long jobs without using up a retry", async () => {
  // The job needs its three tries after it was requeued, so requeueing may use up none of them.
  await platform.model.script({
    match: "unlucky",
    steps: [{ tokens: 600, rate: 10 }, { fault: 500 }, { fault: 500 }, { text: "At last" }],
  });
  const unlucky = await platform.alice.chat({ message: "unlucky" });
  const long = scriptedQuestion("long", random, { words: 25, rate: 10 });
  const longChat = await platform.alice.chat({ message: long.message });
  const longEvents = longChat.all();
  const unluckyEvents = unlucky.all();
  const short = await executeMany(120, "[[tokens=4 rate=10]] short");
  await waitFor("the worker to be busy", async () => (await platform.model.stats()).open_streams >= 10);

  const startedBefore = await rowsOf(short);
  expect(await isFetching(platform, "chat")).toBe(true);
  const stopping = workerOne().stop(STOP_WITHIN_MS);
  // A worker closes all its queues in one step. On the queue of chats it waits for a job, so Redis sees that step.
  await waitFor("the worker to stop fetching", async () => !(await isFetching(platform, "chat")));
  const waiting = await waitingJobIds(platform, "execute");
  expect(waiting.length).toBeGreaterThan(CONCURRENCY);
  await platform.startWorker();
  expect(await stopping).toEqual(CLEAN_EXIT);

  const ended: Json[] = await inParallel(8, short, (jobId) => platform.alice.ended(jobId));
  expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(["completed"]));
  // Short jobs that ran had time to end, and no other was started twice.
  expect(new Set(ended.map(({ attempt }) => attempt))).toEqual(new Set([1]));

  const job = await platform.alice.ended(unlucky.jobId, 40_000);
  expect(job).toMatchObject({ status: "completed", attempt: 4, result: { content: "At last" } });
  const events = await unluckyEvents;
  expectNumbered(events, "unlucky");
  expectWholeStream(await longEvents, long.answer, "long");

  expect(new Set((await rowsOf(waiting)).map(({ worker }) => worker))).toEqual(new Set(["worker-2"]));
  const rows = await rowsOf([...short, longChat.jobId]);
  const byFirst = (list: readonly Row[]) =>
    list.filter(({ worker, attempts }) => worker === "worker-1" && attempts === 1);
  expect(byFirst(rows).length).toBeLessThanOrEqual(byFirst(startedBefore).length + MAX_LATE_STARTS);
  expect(new Set(rows.map(({ worker }) => worker))).toEqual(new Set(["worker-1", "worker-2"]));
  expect(rows.find(({ id }) => id === longChat.jobId)).toMatchObject({ worker: "worker-2", attempts: 2 });
});

test("a worker that gets a second signal still finishes the job that it runs", async () => {
  const jobId = await platform.alice.execute("[[tokens=20 rate=10]] two signals");
  await waitFor("the job to run", async () => (await platform.model.stats()).open_streams === 1);
  workerOne().signal("SIGINT");
  workerOne().signal("SIGTERM");
  const exit = await workerOne().stop(STOP_WITHIN_MS);
  expect(exit).toEqual(CLEAN_EXIT);
  expect(await rowsOf([jobId])).toMatchObject([{ status: "completed", attempts: 1, worker: "worker-1" }]);
});

test("an API that is stopped ends its streams, and clients that resume on another API miss no event", async () => {
  const [first, second] = platform.apis as [ApiProcess, ApiProcess];
  const questions = Array.from({ length: 30 }, (_, at) =>
    scriptedQuestion(`moving-${at}`, random, { words: 20, rate: 10 }),
  );
  const streams = await inParallel(8, questions, ({ message }) => first.alice.chat({ message }));
  const watched = await fetch(`${first.origin}/api/v1/jobs/${streams[0]?.jobId}/events`, {
    headers: { Authorization: `Bearer ${KEYS.alice}` },
  });
  const text = watched.text();
  const connections = streams.map((stream) => stream.all());
  await waitFor("the streams to flow", async () => (await platform.model.stats()).open_streams > 0);

  const exit = await first.stop(STOP_WITHIN_MS);
  expect(exit).toEqual(CLEAN_EXIT);
  // The last bytes of a stream name the pause after which the client is to reconnect.
  expect(await text).toMatch(/\n\nretry: [1-3]\d{3}\n\n$/);
  await inParallel(8, questions, async ({ answer, label }, at) => {
    const arrived = (await connections[at]) as SseEvent[];
    expect(arrived.some(({ event }) => event === "done")).toBe(false);
    const rest = await second.alice.follow((streams[at] as SseStream).jobId, arrived.at(-1)?.id);
    expectWholeStream([...arrived, ...(await rest.all())], answer, label);
  });
});

test("an API that is stopped answers requests that wait for a job with the job's state, and exits", async () => {
  const [first] = platform.apis as [ApiProcess];
  const long = "[[tokens=80 rate=10]] waited for";
  const jobId = await first.alice.execute(long);
  const waiting = first.alice.get(`/jobs/${jobId}?wait=60`);
  const whole = first.alice.post("/chat/completions", { agent_type: "chat_basic", message: long, stream: false });
  await waitFor("both to run", async () => (await platform.model.stats()).open_streams === 2);

  const stopping = first.stop(STOP_WITHIN_MS);
  const [polled, chat] = await Promise.all([waiting, whole]);
  expect([polled.status, polled.body.status]).toEqual([200, "running"]);
  expect([chat.status, chat.body.status]).toEqual([202, "running"]);
  expect(await stopping).toEqual(CLEAN_EXIT);
});
