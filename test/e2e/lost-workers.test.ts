/**
 * Workers that lose their jobs: one is resumed after another worker has started its job, one loses its lock, one dies.
 * Proves I4 (a superseded run writes and publishes nothing, and closes its model call), I6 across the death of a
 * worker, and that the API lists live workers only.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSome } from "../support/background-reader.ts";
import { dropLock, takeLockAway } from "../support/bullmq.ts";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type SseEvent, type SseStream, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { workerOf } from "../support/worker-of.ts";

/** The others notice a dead worker within 4 s; the rest is for a slow machine. */
const GONE_WITHIN_MS = 8_000;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ workers: 2 });
});
afterAll(() => platform.stop());

const startsOver = ({ data }: SseEvent) => data.type === "reset";
const callsOf = (contains: string) => platform.model.calls({ contains });

/** The stream starts over once, then has the events of the last attempt only; the log holds the same events. */
async function expectOnlyTheLastAttempt(stream: SseStream, events: readonly SseEvent[], answer: string): Promise<void> {
  expectRisingIds(events);
  expectOneDone(events, "the stream");
  expect(events.filter(startsOver)).toHaveLength(1);
  expect(shownText(events)).toBe(answer);
  const job = await platform.alice.job(stream.jobId);
  expect(job).toMatchObject({ status: "completed", attempt: 2, result: { content: answer } });
  expect(await (await platform.alice.follow(stream.jobId)).all()).toEqual(events);
  const messages = await platform.alice.history(stream.sessionId);
  expect(messages.map(({ content }) => content).slice(1)).toEqual([answer]);
}

/** The model answers the first attempt for minutes, and the second in seconds. */
async function startTwice(message: string): Promise<SseStream> {
  const long = { text: "stale ".repeat(2_000), rate: 20 };
  await platform.model.script({ match: message, steps: [long, { text: "The answer of the second start.", rate: 5 }] });
  return platform.alice.chat({ message });
}

test("a worker resumed after another worker has its job publishes nothing more and closes its model call", async () => {
  const stream = await startTwice("Sleep over this");
  const { seen, whole } = await readSome(stream);
  const stopped = await workerOf(platform, stream.jobId);
  stopped.signal("SIGSTOP");
  try {
    await dropLock(platform, "chat", stream.jobId);
    await waitFor("the other worker to start over", () => seen.some(startsOver));
  } finally {
    stopped.signal("SIGCONT");
  }
  await expectOnlyTheLastAttempt(stream, await whole, "The answer of the second start.");
  const ends = await waitFor("the first call to be closed", async () => {
    const calls = await callsOf("Sleep over this");
    return calls.every(({ ended }) => ended !== "open") && calls.map(({ ended }) => ended);
  });
  expect(ends).toEqual(["client_closed", "done"]);
});

test("a worker that has lost its lock stops its run before another worker starts the job", async () => {
  const stream = await startTwice("Lose the lock");
  const { seen, whole } = await readSome(stream);
  await takeLockAway(platform, "chat", stream.jobId);
  await waitFor("the call to be closed", async () => (await callsOf("Lose the lock"))[0]?.ended === "client_closed");
  expect(seen.some(startsOver)).toBe(false);
  expect(await platform.alice.job(stream.jobId)).toMatchObject({ status: "running", attempt: 1 });
  expect(await callsOf("Lose the lock")).toHaveLength(1);

  await dropLock(platform, "chat", stream.jobId);
  await expectOnlyTheLastAttempt(stream, await whole, "The answer of the second start.");
});

test("the messages of a session keep their order when a worker dies, and the dead worker is soon not listed", async () => {
  const { alice } = platform;
  const liveWorkers = async () => [
    (await alice.get("/health")).body.checks.workers.live,
    (await alice.get("/agents/chat_basic")).body.workers,
  ];
  expect(await liveWorkers()).toEqual([2, 2]);

  const messages = Array.from({ length: 4 }, (_, at) => `[[tokens=20 rate=20]] Turn ${at}.`);
  const head = await alice.chat({ message: messages[0] });
  const streams = [head];
  for (const message of messages.slice(1)) streams.push(await alice.chat({ session_id: head.sessionId, message }));
  const { whole } = await readSome(head);
  await (await workerOf(platform, head.jobId)).kill();
  await dropLock(platform, "chat", head.jobId);

  const rest = streams.slice(1).map((stream) => stream.all());
  for (const events of await Promise.all([whole, ...rest])) expectOneDone(events, "a message");
  const calls = await callsOf("Turn ");
  expect(calls.map(({ last_user }) => last_user)).toEqual([messages[0], ...messages]);
  for (const [at, call] of calls.slice(1).entries()) {
    expect(call.at_ms).toBeGreaterThanOrEqual(calls[at]?.ended_at_ms ?? Infinity);
  }
  const history = await alice.history(head.sessionId);
  const questions = history.filter(({ role }) => role === "user");
  expect(questions.map(({ content }) => content)).toEqual(messages);
  expect(history).toHaveLength(2 * messages.length);

  const isAlone = async () => (await liveWorkers()).every((workers) => workers === 1);
  await waitFor("the dead worker to be dropped", isAlone, GONE_WITHIN_MS);
});
