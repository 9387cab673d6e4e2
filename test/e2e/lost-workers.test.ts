/**
 * Workers that lose their jobs: one wakes after another has taken its job, one loses its lock, one dies. Proves I4 (who is
 * no longer the owner writes and tells nothing, and lets go of the model), I6 across a death, and that the API knows who lives.
 *
 * The locks of the jobs are deleted where a test would wait twenty seconds for them to expire.
 */
import { openReadonlyDatabase } from "@agent-paas/shared/db/open-database.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Child } from "../../scripts/services/child.ts";
import type { Json } from "../support/api-client.ts";
import { expectOneDone } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type SseEvent, type SseStream, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

/** A worker counts as gone after 10 s of silence; the rest is for a slow machine. */
const GONE_WITHIN_MS = 15_000;

let platform: TestPlatform;
let database: ReturnType<typeof openReadonlyDatabase>;
beforeAll(async () => {
  platform = await startTestPlatform({ workers: 2 });
  database = openReadonlyDatabase(platform.databaseFile);
});
afterAll(async () => {
  await database.destroy();
  await platform.stop();
});

const lockOf = (jobId: string) => `${platform.keys.queuedJob("chat", jobId)}:lock`;
const jobOf = async ({ jobId }: SseStream): Promise<Json> => (await platform.alice.get(`/jobs/${jobId}`)).body;

/** The process that the job's row names: `worker-2` is the second that was started. */
async function workerOf({ jobId }: SseStream): Promise<Child> {
  const [name] = await database("agent_logs").where({ id: jobId }).pluck("worker");
  const worker = platform.workers[Number(String(name).split("-")[1]) - 1];
  if (worker === undefined) throw new Error(`no worker ${name}`);
  return worker;
}

/** Reads in the background; resolves when the client has seen some of the answer. */
async function readSome(stream: SseStream) {
  const seen: SseEvent[] = [];
  const whole = (async () => {
    for await (const event of stream.events()) seen.push(event);
    return seen;
  })();
  await waitFor("some of the answer", () => seen.length >= 5);
  return { seen, whole };
}

const startsOver = ({ data }: SseEvent) => data.type === "reset";
const callsOf = (contains: string) => platform.model.calls({ contains });

/** One start over, and from there on nothing but what the last attempt said; the log holds the same. */
async function expectOnlyTheLastAttempt(stream: SseStream, events: readonly SseEvent[], answer: string): Promise<void> {
  const ids = events.map(({ id }) => id);
  expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  expectOneDone(events, "the stream");
  expect(events.filter(startsOver)).toHaveLength(1);
  expect(shownText(events)).toBe(answer);
  expect(await jobOf(stream)).toMatchObject({ status: "completed", attempt: 2, result: { content: answer } });
  expect(await (await platform.alice.follow(stream.jobId)).all()).toEqual(events);
  const { body } = await platform.alice.get(`/chat/history?session_id=${stream.sessionId}`);
  expect(body.messages.map(({ content }: Json) => content).slice(1)).toEqual([answer]);
}

/** The first start of the job talks for minutes, the second is short enough to be waited for. */
async function startTwice(message: string): Promise<SseStream> {
  const long = { text: "stale ".repeat(2_000), rate: 20 };
  await platform.model.script({ match: message, steps: [long, { text: "The answer of the second start.", rate: 5 }] });
  return platform.alice.chat({ message });
}

test("a worker that wakes when its job is another's says nothing more, and closes its model call", async () => {
  const stream = await startTwice("Sleep over this");
  const { seen, whole } = await readSome(stream);
  const sleeper = await workerOf(stream);
  sleeper.signal("SIGSTOP");
  try {
    await platform.redis.del(lockOf(stream.jobId));
    await waitFor("the other worker to start over", () => seen.some(startsOver));
  } finally {
    sleeper.signal("SIGCONT");
  }
  await expectOnlyTheLastAttempt(stream, await whole, "The answer of the second start.");
  const ends = await waitFor("the first call to be closed", async () => {
    const calls = await callsOf("Sleep over this");
    return calls.every(({ ended }) => ended !== "open") && calls.map(({ ended }) => ended);
  });
  expect(ends).toEqual(["client_closed", "done"]);
});

test("a worker that has lost its lock stops at once, before anybody else has begun", async () => {
  const stream = await startTwice("Lose the lock");
  const { seen, whole } = await readSome(stream);
  await platform.redis.set(lockOf(stream.jobId), "somebody else's", "PX", 60_000);
  await waitFor("the call to be closed", async () => (await callsOf("Lose the lock"))[0]?.ended === "client_closed");
  expect(seen.some(startsOver)).toBe(false);
  expect(await jobOf(stream)).toMatchObject({ status: "running", attempt: 1 });
  expect(await callsOf("Lose the lock")).toHaveLength(1);

  await platform.redis.del(lockOf(stream.jobId));
  await expectOnlyTheLastAttempt(stream, await whole, "The answer of the second start.");
});

test("the messages of a session keep their order over a death, and who died is soon listed no more", async () => {
  const { alice } = platform;
  const living = async () => [
    (await alice.get("/health")).body.checks.workers.live,
    (await alice.get("/agents/chat_basic")).body.workers,
  ];
  expect(await living()).toEqual([2, 2]);

  const messages = Array.from({ length: 4 }, (_, at) => `[[tokens=20 rate=20]] Turn ${at}.`);
  const head = await alice.chat({ message: messages[0] });
  const streams = [head];
  for (const message of messages.slice(1)) streams.push(await alice.chat({ session_id: head.sessionId, message }));
  const { whole } = await readSome(head);
  await (await workerOf(head)).kill();
  await platform.redis.del(lockOf(head.jobId));

  const rest = streams.slice(1).map((stream) => stream.all());
  for (const events of await Promise.all([whole, ...rest])) expectOneDone(events, "a turn");
  const calls = await callsOf("Turn ");
  expect(calls.map(({ last_user }) => last_user)).toEqual([messages[0], ...messages]);
  for (const [at, call] of calls.slice(1).entries()) {
    expect(call.at_ms).toBeGreaterThanOrEqual(calls[at]?.ended_at_ms ?? Infinity);
  }
  const { body } = await alice.get(`/chat/history?session_id=${head.sessionId}`);
  const asked = body.messages.filter(({ role }: Json) => role === "user");
  expect(asked.map(({ content }: Json) => content)).toEqual(messages);
  expect(body.messages).toHaveLength(2 * messages.length);

  const isAlone = async () => (await living()).every((workers) => workers === 1);
  await waitFor("the dead worker to be dropped", isAlone, GONE_WITHIN_MS);
});
