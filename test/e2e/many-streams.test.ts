/**
 * 200 jobs, 32 at a time, two workers: every stream is whole, whether its client connected before the first event or
 * later; and so are those of each door. Proves I1 (one `done`, at the end), I2 (ids without gaps, the model's text
 * character for character, no event of another job), I3 (a client that sees `done` can read the history) and I4 (each
 * job ran once).
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DOORS, type Door, expectWholeThrough, openDoor } from "../support/doors.ts";
import { expectWholeStream } from "../support/expect-stream.ts";
import { inParallel } from "../support/in-parallel.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type ScriptedQuestion, scriptedQuestion } from "../support/scripted-question.ts";
import { seededRandom } from "../support/seeded-random.ts";
import type { SseEvent } from "../support/sse-client.ts";

const STREAMS = 200;
const AT_ONCE = 32;
const LATEST_MS = 500;
const STREAMS_PER_DOOR = 25;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ workers: 2 });
});
afterAll(() => platform.stop());

/** The model needs 10 to 500 ms for an answer, so late clients connect before, during and after it. */
function questions(kind: string, count = STREAMS): ScriptedQuestion[] {
  const random = seededRandom(1);
  return Array.from({ length: count }, (_, at) =>
    scriptedQuestion(`${kind}-${at}`, random, {
      ...{ words: random.int(5, 25), rate: random.int(100, 500), isTagless: true },
    }),
  );
}

async function expectHistory(sessionId: string, { label, message, answer }: ScriptedQuestion): Promise<void> {
  const { body } = await platform.alice.get(`/chat/history?session_id=${sessionId}`);
  expect(body.messages, `history of ${label}`).toMatchObject([
    { role: "user", content: message },
    { role: "assistant", content: answer },
  ]);
  expect(body.messages).toHaveLength(2);
}

/** The model was asked once per question, and each of its tokens was one event. */
async function expectAsTheModelSent(asked: readonly ScriptedQuestion[], streams: readonly SseEvent[][], kind: string) {
  const calls = await platform.model.calls({ contains: `${kind}-` });
  const sent = calls.map(({ last_user, tokens_sent }) => [last_user.split(" ", 1)[0], tokens_sent]);
  const received = streams.map((events, at) => [
    asked[at]?.label,
    events.filter(({ event }) => event === "message").length,
  ]);
  expect(sent).toHaveLength(STREAMS);
  expect(Object.fromEntries(received)).toEqual(Object.fromEntries(sent));
}

test("200 chats are each read whole from their start", async () => {
  const asked = questions("prompt");
  const streams = await inParallel(AT_ONCE, asked, async (question) => {
    const stream = await platform.alice.chat({ message: question.message });
    const events = await stream.all();
    expectWholeStream(events, question.answer, question.label);
    await expectHistory(stream.sessionId ?? "", question);
    return events;
  });
  await expectAsTheModelSent(asked, streams, "prompt");
});

test("200 chats and execute jobs are each read whole by a client that connects 0 to 500 ms late", async () => {
  const asked = questions("late");
  const random = seededRandom(2);
  const delays = asked.map(() => random.int(0, LATEST_MS));
  const streams = await inParallel(AT_ONCE, asked, async (question, at) => {
    const started = at % 2 === 0 ? await startChat(question) : await startExecute(question);
    await delay(delays[at]);
    const events = await (await platform.alice.follow(started.jobId)).all();
    expectWholeStream(events, question.answer, question.label);
    await started.expectStored();
    return events;
  });
  await expectAsTheModelSent(asked, streams, "late");
});

test("25 chats through each door, all doors at once, are each read whole", async () => {
  const asked = questions("door", STREAMS_PER_DOOR * DOORS.length);
  await inParallel(AT_ONCE, asked, async ({ label, message, answer }, at) => {
    const door = DOORS[at % DOORS.length] as Door;
    const stream = await openDoor(door, platform.alice.origin, message);
    await stream.readAll();
    expectWholeThrough(door, stream, answer, label);
    const job = { status: "completed", attempt: 1, result: { content: answer } };
    expect(await platform.alice.job(stream.jobId), `row of ${label}`).toMatchObject(job);
  });
  const calls = await platform.model.calls({ contains: "door-" });
  expect(new Set(calls.map(({ last_user }) => last_user)).size).toBe(asked.length);
  expect(calls).toHaveLength(asked.length);
});

type Started = { readonly jobId: string; readonly expectStored: () => Promise<void> };

/** The stream of the request itself is cut before anything of it is read. */
async function startChat(question: ScriptedQuestion): Promise<Started> {
  const stream = await platform.alice.chat({ message: question.message });
  stream.cut();
  return { jobId: stream.jobId, expectStored: () => expectHistory(stream.sessionId ?? "", question) };
}

async function startExecute({ label, message, answer }: ScriptedQuestion): Promise<Started> {
  const jobId = await platform.alice.execute(message);
  return {
    jobId,
    async expectStored() {
      expect(await platform.alice.job(jobId), `row of ${label}`).toMatchObject({
        status: "completed",
        attempt: 1,
        result: { content: answer },
      });
    },
  };
}
