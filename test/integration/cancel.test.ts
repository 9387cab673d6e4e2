/**
 * Cancel (I7): a job in any state ends in one terminal state with one `done` (I1), the model is not called any more,
 * and the kept partial result is what clients were shown. The first terminal state is final.
 */
import { HOUR } from "@agent-paas/shared/time.ts";
import { DelayedError, type Job, Worker } from "bullmq";
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from "vitest";
import type { ApiClient } from "../support/api-client.ts";
import { cancelDuring, countTexts, isText } from "../support/background-reader.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { expectOneDone } from "../support/expect-stream.ts";
import { writeJobState } from "../support/job-state.ts";
import { openQueue } from "../support/open-queues.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type SseEvent, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let alice: ApiClient;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { WORKER_EXECUTE_CONCURRENCY: "1", WORKER_RESERVED_PERCENT: "0" } });
  ({ alice } = platform);
});
afterEach(() => cancelUnfinished(alice));
afterAll(() => platform.stop());

const announcesRetry = ({ event, data }: SseEvent) => event === "thought" && data.code !== undefined;

test("a queued job behind a blocked queue ends when it is cancelled, and the model is never called for it", async () => {
  const inFront = await alice.execute("[[tokens=1 ttft=60000]] Blocks the queue");
  await alice.started(inFront);
  const queued = await alice.execute("Never to be asked");
  const stream = await alice.follow(queued);

  const { status, body } = await alice.cancel(queued);
  expect(status).toBe(202);
  expect(body).toMatchObject({ job_id: queued, links: { self: `/api/v1/jobs/${queued}` } });

  expectOneDone(await stream.all(), "the cancelled job", "cancelled");
  expect(await alice.job(queued)).toMatchObject({ status: "cancelled", queue_position: null, error: null });
  expect((await alice.job(inFront)).status).toBe("running");

  await alice.cancel(inFront);
  await alice.ended(inFront);
  const behind = await alice.execute("[[text=Ran]] After the blocked queue");
  expect((await alice.ended(behind)).status).toBe("completed");
  expect(await platform.model.calls({ contains: "Never to be asked" })).toEqual([]);
});

test("a running job that is cancelled closes its model call and keeps its partial answer", async () => {
  const stream = await alice.chat({ message: "[[tokens=2000 rate=20]] Stop me" });
  const events = await cancelDuring(alice, stream, (_, seen) => countTexts(seen) === 5);
  expectOneDone(events, "the cancelled job", "cancelled");
  expect(events.some(({ event }) => event === "error")).toBe(false);

  const shown = shownText(events);
  expect(shown).not.toBe("");
  const ended = await alice.job(stream.jobId);
  expect(ended).toMatchObject({ status: "cancelled", result: { content: shown }, error: null });
  expect(ended.usage.output_tokens).toBeGreaterThan(0);
  expect(await alice.history(stream.sessionId)).toMatchObject([
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

test("a running execute job that is cancelled keeps its partial answer", async () => {
  const jobId = await alice.execute("[[tokens=2000 rate=20]] Stop the task");
  const events = await cancelDuring(alice, await alice.follow(jobId), isText);
  expectOneDone(events, "the cancelled job", "cancelled");
  expect(await alice.job(jobId)).toMatchObject({ status: "cancelled", result: { content: shownText(events) } });
});

test("cancelling an ended job changes nothing", async () => {
  const stream = await alice.chat({ message: "[[text=Finished]] Be quick" });
  const events = await stream.all();
  const before = { job: await alice.job(stream.jobId), history: await alice.history(stream.sessionId) };
  const { status, body } = await alice.cancel(stream.jobId);
  expect(status).toBe(200);
  expect(body).toMatchObject({ job_id: stream.jobId, status: "completed" });
  expect({ job: await alice.job(stream.jobId), history: await alice.history(stream.sessionId) }).toEqual(before);
  expect(await (await alice.follow(stream.jobId)).all()).toEqual(events);
});

test("a job that is cancelled while it waits for its retry ends without another model call", async () => {
  const stream = await alice.chat({ message: "[[fault=429 retry_after=40]] Come back later" });
  expectOneDone(await cancelDuring(alice, stream, announcesRetry), "the cancelled job", "cancelled");
  expect(await alice.job(stream.jobId)).toMatchObject({ status: "cancelled", error: null });
  expect(await platform.model.calls({ contains: "Come back later" })).toHaveLength(1);
});

test("a job that is cancelled while it waits for its retry keeps what its clients are shown", async () => {
  const stream = await alice.chat({ message: "[[fault=cut after=3 tokens=9]] Broken off" });
  const events = await cancelDuring(alice, stream, announcesRetry);
  expectOneDone(events, "the cancelled job", "cancelled");
  expect((await alice.job(stream.jobId)).result.content).toBe(shownText(events));
});

test("a second cancel of a queued or a running job changes nothing", async () => {
  const running = await alice.execute("[[tokens=1 ttft=60000]] Cancel me twice");
  await alice.started(running);
  const queued = await alice.execute("Cancel me twice as well");
  for (const jobId of [queued, running]) {
    const stream = await alice.follow(jobId);
    const answers = await Promise.all([alice.cancel(jobId), alice.cancel(jobId)]);
    for (const { status } of answers) expect([200, 202]).toContain(status);
    expectOneDone(await stream.all(), "the cancelled job", "cancelled");
    expect((await alice.cancel(jobId)).status).toBe(200);
  }
});

test("a job that its worker delays while it is being cancelled ends without waiting for its time", async () => {
  const { redis, keys, bob } = platform;
  // Of another owner: behind a job of its own owner it would not be in the queue yet.
  const inFront = await bob.execute("[[tokens=1 ttft=60000]] Keeps the worker busy");
  await bob.started(inFront);
  const jobId = await alice.execute("Delayed, and never asked");

  // The test is the worker that takes the job and delays it, as a worker does for the session order or for a retry.
  const [held, delayed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const connection = redis.duplicate({ maxRetriesPerRequest: null });
  const process = async (taken: Job, token?: string) => {
    held.resolve();
    await delayed.promise;
    await taken.moveToDelayed(Date.now() + HOUR, token);
    throw new DelayedError();
  };
  const holder = new Worker("execute", process, { connection, prefix: keys.bullmq });
  const maintenance = openQueue(platform, "maintenance");
  onTestFinished(async () => {
    await holder.close(true);
    connection.disconnect();
  });
  await held.promise;
  expect((await alice.cancel(jobId)).status).toBe(202);
  await waitFor("the first try to end the job", async () => {
    const order = await maintenance.getJob(`cancel-${jobId}`);
    return order === undefined || (await order.isDelayed());
  });
  delayed.resolve();

  expect(await alice.ended(jobId, 15_000)).toMatchObject({ status: "cancelled", error: null });
  expectOneDone(await (await alice.follow(jobId)).all(), "the cancelled job", "cancelled");
  expect(await platform.model.calls({ contains: "Delayed, and" })).toEqual([]);
  await bob.cancel(inFront);
});

test("a cancellation whose message was lost is found by the worker that runs the job", async () => {
  const jobId = await alice.execute("[[tokens=1 ttft=60000]] Cancelled without a message");
  await alice.started(jobId);
  await writeJobState(platform, jobId, { cancelRequested: true });
  expect(await alice.ended(jobId)).toMatchObject({ status: "cancelled", error: null });
});

/**
 * A stream has six events, the last is `done`: a cancel at the n-th comes during the answer, at its end, or too late.
 */
/** Every fourth job takes seconds, so that also on a crowded machine some cancels come before the end. */
const RACES = Array.from({ length: 30 }, (_, at) => ({ at, cancelledAt: 1 + (at % 6), rate: at % 4 === 0 ? 1 : 10 }));

test("cancels that race with the end of a job leave its first terminal state in every place", async () => {
  const statuses = await Promise.all(
    RACES.map(async ({ at, cancelledAt, rate }) => {
      const stream = await alice.chat({ message: `[[tokens=4 rate=${rate}]] Race ${at}` });
      const events: SseEvent[] = [];
      let cancels: ReturnType<typeof alice.cancel>[] = [];
      for await (const event of stream.events()) {
        events.push(event);
        if (event.id === cancelledAt) cancels = [1, 2, 3].map(() => alice.cancel(stream.jobId));
      }
      for (const { status } of await Promise.all(cancels)) expect([200, 202]).toContain(status);
      const status = String(events.at(-1)?.data.status);
      expectOneDone(events, `race ${at}`, status);
      expect(await alice.cancel(stream.jobId)).toMatchObject({ status: 200, body: { status } });

      const shown = shownText(events);
      expect(await alice.job(stream.jobId)).toMatchObject({ status, result: { content: shown }, error: null });
      const answers = (await alice.history(stream.sessionId)).filter(({ role }) => role === "assistant");
      expect(answers.map(({ content, metadata }) => [content, metadata.status])).toEqual(
        shown === "" ? [] : [[shown, status]],
      );
      expect(await (await alice.follow(stream.jobId)).all()).toEqual(events);
      return status;
    }),
  );
  expect(new Set(statuses)).toEqual(new Set(["cancelled", "completed"]));
});

test("a client that disconnects cancels nothing", async () => {
  const stream = await alice.chat({ message: "[[tokens=20 rate=20]] Go on without me" });
  for await (const event of stream.events()) if (isText(event)) break;
  stream.cut();
  expect((await alice.ended(stream.jobId)).status).toBe("completed");
});

test("a turn that is cancelled before it starts replaces no message", async () => {
  const { session_id } = (await alice.chatWhole("[[text=Hi]] Hello")).body;
  const [question] = await alice.history(session_id);
  const busy = await alice.chat({ message: "[[tokens=1 ttft=60000]] Busy", session_id });
  await alice.started(busy.jobId);
  const edited = await alice.chat({ message: "Instead", session_id, replace_from: question.id });
  await alice.cancel(edited.jobId);
  await edited.all();
  const contents = (await alice.history(session_id)).map(({ content }) => content);
  expect(contents).toEqual(["[[text=Hi]] Hello", "Hi", "[[tokens=1 ttft=60000]] Busy", "Instead"]);
  await alice.cancel(busy.jobId);
});
