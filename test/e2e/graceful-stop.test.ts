/**
 * Workers and APIs are stopped under load, as a rolling restart does. Proves I1 and I2 over the restart: no job begins in
 * a worker that stops, what runs ends there or goes to another worker without using up a try, clients are sent elsewhere
 * and miss nothing, and every process leaves by itself with exit code 0.
 */
import { openReadonlyDatabase } from "@agent-paas/shared/db/open-database.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import type { Child } from "../../scripts/services/child.ts";
import type { Json } from "../support/api-client.ts";
import { expectNumbered, expectWholeStream } from "../support/expect-stream.ts";
import { inParallel } from "../support/in-parallel.ts";
import { type ApiProcess, KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { scriptedQuestion } from "../support/scripted-question.ts";
import { seededRandom } from "../support/seeded-random.ts";
import type { SseEvent, SseStream } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

const GRACE_MS = 3_000;
/** What is promised; a process that takes longer is killed, which its exit code tells. */
const STOP_WITHIN_MS = 30_000;
const CLEAN_EXIT = { code: 0, signal: null };
const NO_NEW_JOB_AFTER_MS = 1_000;

let platform: TestPlatform;
beforeEach(async () => {
  platform = await startTestPlatform({
    apis: 2,
    env: { SHUTDOWN_GRACE_MS: String(GRACE_MS), WORKER_EXECUTE_CONCURRENCY: "8" },
  });
});
afterEach(() => platform.stop());

const random = seededRandom(7);

type Row = Pick<JobRow, "id" | "status" | "fencing_token" | "attempt" | "worker" | "started_at" | "finished_at">;

async function rowsOf(jobIds: readonly string[]): Promise<Row[]> {
  const database = openReadonlyDatabase(platform.databaseFile);
  onTestFinished(() => database.destroy());
  const columns = ["id", "status", "fencing_token", "attempt", "worker", "started_at", "finished_at"] as const;
  return database<JobRow>("agent_logs")
    .whereIn("id", jobIds)
    .select(...columns);
}

const executeMany = (count: number, task: string): Promise<string[]> =>
  inParallel(8, Array.from({ length: count }), (_, at) => platform.alice.execute(`${task} ${at}`));

const workerOne = () => platform.workers[0] as Child;

test("a worker that is stopped begins no job, finishes short ones and hands long ones on without using up a try", async () => {
  // Its three tries are needed after the hand-over, so none may be used up by it.
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

  const stoppedAt = Date.now();
  const stopping = workerOne().stop(STOP_WITHIN_MS);
  await platform.startWorker();
  expect(await stopping).toEqual(CLEAN_EXIT);

  const ended: Json[] = await inParallel(8, short, (jobId) => platform.alice.ended(jobId));
  expect(new Set(ended.map(({ status }) => status))).toEqual(new Set(["completed"]));
  // Those that ran had time to end, and no other was begun twice.
  expect(new Set(ended.map(({ attempt }) => attempt))).toEqual(new Set([1]));

  const job = await platform.alice.ended(unlucky.jobId, 40_000);
  expect(job).toMatchObject({ status: "completed", attempt: 4, result: { content: "At last" } });
  const events = await unluckyEvents;
  expectNumbered(events, "unlucky");
  expectWholeStream(await longEvents, long.answer, "long");

  const rows = await rowsOf([...short, longChat.jobId]);
  const late = rows.filter(
    ({ worker, started_at, attempt }) =>
      worker === "worker-1" && attempt === 1 && Date.parse(started_at) > stoppedAt + NO_NEW_JOB_AFTER_MS,
  );
  expect(late).toEqual([]);
  expect(new Set(rows.map(({ worker }) => worker))).toEqual(new Set(["worker-1", "worker-2"]));
  expect(rows.find(({ id }) => id === longChat.jobId)).toMatchObject({ worker: "worker-2", attempt: 2 });
});

test("a second signal changes nothing: the worker still ends what it runs", async () => {
  const jobId = await platform.alice.execute("[[tokens=20 rate=10]] two signals");
  await waitFor("the job to run", async () => (await platform.model.stats()).open_streams === 1);
  workerOne().signal("SIGINT");
  workerOne().signal("SIGTERM");
  const exit = await workerOne().stop(STOP_WITHIN_MS);
  expect(exit).toEqual(CLEAN_EXIT);
  expect(await rowsOf([jobId])).toMatchObject([{ status: "completed", attempt: 1, worker: "worker-1" }]);
});

test("an API that is stopped sends its streams' clients elsewhere, where they miss nothing", async () => {
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
  // The last thing they hear is when to come back.
  expect(await text).toMatch(/\n\nretry: [1-3]\d{3}\n\n$/);
  await inParallel(8, questions, async ({ answer, label }, at) => {
    const came = (await connections[at]) as SseEvent[];
    expect(came.some(({ event }) => event === "done")).toBe(false);
    const rest = await second.alice.follow((streams[at] as SseStream).jobId, came.at(-1)?.id);
    expectWholeStream([...came, ...(await rest.all())], answer, label);
  });
});

test("an API that is stopped answers who waits for a job that it runs on, and stops at once", async () => {
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
