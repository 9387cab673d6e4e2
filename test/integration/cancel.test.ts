/**
 * Cancel (I7): whatever state a job is in, it ends in one terminal state with one `done` (I1), the model is called no
 * more, and what clients were shown of the answer is what is kept of it. The state that was first stays.
 */
import { HOUR } from "@agent-paas/shared/time.ts";
import { DelayedError, type Job, Queue, Worker } from "bullmq";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import type { ApiClient, Json } from "../support/api-client.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type SseEvent, type SseStream, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let alice: ApiClient;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { WORKER_EXECUTE_CONCURRENCY: "1" } });
  ({ alice } = platform);
});
afterEach(() => cancelUnfinished(alice));
afterAll(() => platform.stop());

const job = async (id: string): Promise<Json> => (await alice.get(`/jobs/${id}`)).body;
const cancel = (id: string) => alice.post(`/jobs/${id}/cancel`, {});
const historyOf = async (sessionId: string | null): Promise<Json[]> =>
  (await alice.get(`/chat/history?session_id=${sessionId}`)).body.messages;

/** Reads a stream to its end and cancels its job at the first event that `isTime` holds for. */
async function cancelDuring(stream: SseStream, isTime: (event: SseEvent) => boolean): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  let asked = false;
  for await (const event of stream.events()) {
    events.push(event);
    if (asked || !isTime(event)) continue;
    asked = true;
    expect((await cancel(stream.jobId)).status).toBe(202);
  }
  expect(asked).toBe(true);
  return events;
}

const isText = ({ event, data }: SseEvent) => event === "message" && data.type === "text";
const announcesRetry = ({ event, data }: SseEvent) => event === "thought" && data.code !== undefined;

function expectOneDone(events: readonly SseEvent[], status: string): void {
  expect(events.filter(({ event }) => event === "done")).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status } });
}

test("a queued job ends at once behind a blocked queue, and the model never hears of it", async () => {
  const inFront = await alice.execute("[[tokens=1 ttft=60000]] Blocks the queue");
  await waitFor("the job in front to run", async () => (await job(inFront)).status === "running");
  const queued = await alice.execute("Never to be asked");
  const stream = await alice.follow(queued);

  const { status, body } = await cancel(queued);
  expect(status).toBe(202);
  expect(body).toMatchObject({ job_id: queued, links: { self: `/api/v1/jobs/${queued}` } });

  expectOneDone(await stream.all(), "cancelled");
  expect(await job(queued)).toMatchObject({ status: "cancelled", queue_position: null, error: null });
  expect((await job(inFront)).status).toBe("running");

  await cancel(inFront);
  await alice.ended(inFront);
  const behind = await alice.execute("[[text=Ran]] After the blocked queue");
  expect((await alice.ended(behind)).status).toBe("completed");
  expect(await platform.model.calls({ contains: "Never to be asked" })).toEqual([]);
});

test("a running job stops its model call and keeps what it has said", async () => {
  const stream = await alice.chat({ message: "[[tokens=2000 rate=20]] Stop me" });
  let heard = 0;
  const events = await cancelDuring(stream, (event) => isText(event) && ++heard === 5);
  expectOneDone(events, "cancelled");
  expect(events.some(({ event }) => event === "error")).toBe(false);

  const shown = shownText(events);
  expect(shown).not.toBe("");
  const ended = await job(stream.jobId);
  expect(ended).toMatchObject({ status: "cancelled", result: { content: shown }, error: null });
  expect(ended.usage.output_tokens).toBeGreaterThan(0);
  expect(await historyOf(stream.sessionId)).toMatchObject([
    { role: "user" },
    { role: "assistant", content: shown, metadata: { status: "cancelled" } },
  ]);

  const [call] = await waitFor("the upstream request to close", async () => {
    const calls = await platform.model.calls({ contains: "Stop me" });
    return calls.every(({ ended }) => ended !== "open") && calls;
  });
  expect(call).toMatchObject({ ended: "client_closed" });
  expect(call?.tokens_sent).toBeLessThan(2000);
});

test("an execute job that runs can be cancelled too", async () => {
  const jobId = await alice.execute("[[tokens=2000 rate=20]] Stop the task");
  const events = await cancelDuring(await alice.follow(jobId), isText);
  expectOneDone(events, "cancelled");
  expect(await job(jobId)).toMatchObject({ status: "cancelled", result: { content: shownText(events) } });
});

test("cancelling an ended job changes nothing", async () => {
  const stream = await alice.chat({ message: "[[text=Finished]] Be quick" });
  const events = await stream.all();
  const before = { job: await job(stream.jobId), history: await historyOf(stream.sessionId) };
  const { status, body } = await cancel(stream.jobId);
  expect(status).toBe(200);
  expect(body).toMatchObject({ job_id: stream.jobId, status: "completed" });
  expect({ job: await job(stream.jobId), history: await historyOf(stream.sessionId) }).toEqual(before);
  expect(await (await alice.follow(stream.jobId)).all()).toEqual(events);
});

test("a job that waits for its retry ends without another call", async () => {
  const stream = await alice.chat({ message: "[[fault=429 retry_after=40]] Come back later" });
  expectOneDone(await cancelDuring(stream, announcesRetry), "cancelled");
  expect(await job(stream.jobId)).toMatchObject({ status: "cancelled", error: null });
  expect(await platform.model.calls({ contains: "Come back later" })).toHaveLength(1);
});

test("a job that waits for its retry keeps what its clients are shown", async () => {
  const stream = await alice.chat({ message: "[[fault=cut after=3 tokens=9]] Broken off" });
  const events = await cancelDuring(stream, announcesRetry);
  expectOneDone(events, "cancelled");
  expect((await job(stream.jobId)).result.content).toBe(shownText(events));
});

test("cancelling twice is as good as once, for a queued job and for a running one", async () => {
  const running = await alice.execute("[[tokens=1 ttft=60000]] Cancel me twice");
  await waitFor("the job to run", async () => (await job(running)).status === "running");
  const queued = await alice.execute("Cancel me twice as well");
  for (const jobId of [queued, running]) {
    const stream = await alice.follow(jobId);
    const answers = await Promise.all([cancel(jobId), cancel(jobId)]);
    for (const { status } of answers) expect([200, 202]).toContain(status);
    expectOneDone(await stream.all(), "cancelled");
    expect((await cancel(jobId)).status).toBe(200);
  }
});

test("a job that its worker puts back just then ends at once all the same", async () => {
  const { redis, keys } = platform;
  const inFront = await alice.execute("[[tokens=1 ttft=60000]] Keeps the worker busy");
  await waitFor("it to run", async () => (await job(inFront)).status === "running");
  const jobId = await alice.execute("Put back, and never asked");

  // The test is the worker that takes the job and puts it back: for its session's turn, for its agent, for a retry.
  const [held, putBack] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const connection = redis.duplicate({ maxRetriesPerRequest: null });
  const process = async (taken: Job, token?: string) => {
    held.resolve();
    await putBack.promise;
    await taken.moveToDelayed(Date.now() + HOUR, token);
    throw new DelayedError();
  };
  const holder = new Worker("execute", process, { connection, prefix: keys.bullmq });
  const maintenance = new Queue("maintenance", { connection, prefix: keys.bullmq });
  onTestFinished(async () => {
    await Promise.all([holder.close(true), maintenance.close()]);
    connection.disconnect();
  });
  await held.promise;
  expect((await cancel(jobId)).status).toBe(202);
  await waitFor("the first look at it", async () => {
    const order = await maintenance.getJob(`cancel-${jobId}`);
    return order === undefined || (await order.isDelayed());
  });
  putBack.resolve();

  expect(await alice.ended(jobId, 15_000)).toMatchObject({ status: "cancelled", error: null });
  expectOneDone(await (await alice.follow(jobId)).all(), "cancelled");
  expect(await platform.model.calls({ contains: "Put back" })).toEqual([]);
});

test("an intent of which no message was heard is found by the worker that runs the job", async () => {
  const jobId = await alice.execute("[[tokens=1 ttft=60000]] Not a word, and nobody tells");
  await waitFor("the job to run", async () => (await job(jobId)).status === "running");
  await platform.redis.hset(platform.keys.jobState(jobId), "cancel", "1");
  expect(await alice.ended(jobId)).toMatchObject({ status: "cancelled", error: null });
});

/** The last of six events is `done`; what is cancelled at the n-th is amid the answer, at its end, or too late. */
const RACES = Array.from({ length: 30 }, (_, at) => ({ at, cancelledAt: 1 + (at % 6) }));

test("however many cancels race with the end, the first terminal state stays, in every place", async () => {
  const statuses = await Promise.all(
    RACES.map(async ({ at, cancelledAt }) => {
      const stream = await alice.chat({ message: `[[tokens=4 rate=10]] Race ${at}` });
      const events: SseEvent[] = [];
      let answers: ReturnType<typeof cancel>[] = [];
      for await (const event of stream.events()) {
        events.push(event);
        if (event.id === cancelledAt) answers = [1, 2, 3].map(() => cancel(stream.jobId));
      }
      for (const { status } of await Promise.all(answers)) expect([200, 202]).toContain(status);
      const status = String(events.at(-1)?.data.status);
      expectOneDone(events, status);
      expect(await cancel(stream.jobId)).toMatchObject({ status: 200, body: { status } });

      const shown = shownText(events);
      expect(await job(stream.jobId)).toMatchObject({ status, result: { content: shown }, error: null });
      const told = (await historyOf(stream.sessionId)).filter(({ role }) => role === "assistant");
      expect(told.map(({ content, metadata }) => [content, metadata.status])).toEqual(
        shown === "" ? [] : [[shown, status]],
      );
      expect(await (await alice.follow(stream.jobId)).all()).toEqual(events);
      return status;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set(["cancelled", "completed"]));
});

test("a client that leaves cancels nothing", async () => {
  const stream = await alice.chat({ message: "[[tokens=20 rate=20]] Go on without me" });
  for await (const event of stream.events()) if (isText(event)) break;
  stream.cut();
  expect((await alice.ended(stream.jobId)).status).toBe("completed");
});
