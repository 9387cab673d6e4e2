/**
 * Clients that lose their connection, change the API process, and resume before or after the event log has expired.
 * Proves I2 (a client gets every event once and in order over all its connections, from any API) and I1 (one `done`,
 * also when the event log has expired and the answer comes from the database).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cancelDuring } from "../support/background-reader.ts";
import { DOORS, expectWholeThrough, openDoor } from "../support/doors.ts";
import { expectOneDone, expectWholeStream } from "../support/expect-stream.ts";
import { inParallel } from "../support/in-parallel.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { scriptedQuestion } from "../support/scripted-question.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { type SseEvent, type SseStream, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

const STREAMS = 30;
const AT_ONCE = 15;
const READERS = 20;
const STOP_WITHIN_MS = 15_000;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ apis: 2, workers: 2 });
});
afterAll(() => platform.stop());

const random = seededRandom(3);
const ask = (label: string, words = 15, rate = 100) => scriptedQuestion(label, random, { words, rate });
const apiAt = (at: number) => platform.apis[at % platform.apis.length]?.alice ?? platform.alice;
const originAt = (at: number) => apiAt(at).origin;

/** Reads up to the event with this id and drops the connection with all that had arrived after it. */
async function readUpTo(stream: SseStream, id: number): Promise<SseEvent[]> {
  const events: SseEvent[] = [];
  for await (const event of stream.events()) {
    events.push(event);
    if (event.id >= id) break;
  }
  stream.cut();
  return events;
}

async function completedChat(label: string): Promise<{ jobId: string; answer: string; events: SseEvent[] }> {
  const { message, answer } = ask(label, 10, 0);
  const stream = await platform.alice.chat({ message });
  const events = await stream.all();
  expectWholeStream(events, answer, label);
  return { jobId: stream.jobId, answer, events };
}

/** The stream as text, from the API with this number. */
async function rawEvents(jobId: string, { query = "", headers = {}, api = 0 } = {}): Promise<string> {
  const { status, body } = await apiAt(api).get(`/jobs/${jobId}/events${query}`, headers);
  expect(status).toBe(200);
  return body;
}

test.each(DOORS)(
  "30 streams of $name that break one to three times, and go on at the other API, are whole",
  async (door) => {
    const random = seededRandom(3);
    const prefix = `cut-${DOORS.indexOf(door)}`;
    // An answer has its label and 15 pieces, so a stream always has more than the frames at which it may be cut.
    const cases = Array.from({ length: STREAMS }, (_, at) => ({
      ...scriptedQuestion(`${prefix}-${at}`, random, { words: 15, rate: random.int(50, 300) }),
      cuts: random.distinct(random.int(1, 3), 1, door.mostSeen),
    }));
    await inParallel(AT_ONCE, cases, async ({ label, message, answer, cuts }, at) => {
      const stream = await openDoor(door, originAt(at), message);
      for (const [times, cut] of cuts.entries()) {
        await stream.cutAt(cut);
        await stream.resumeAt(originAt(at + times + 1));
      }
      await stream.readAll();
      expectWholeThrough(door, stream, answer, label);
    });
    const calls = await platform.model.calls({ contains: `${prefix}-` });
    expect(calls).toHaveLength(STREAMS);
    expect(new Set(calls.map(({ ended }) => ended))).toEqual(new Set(["done"]));
  },
);

test("a client that has seen `done` and reconnects gets 204", async () => {
  const { jobId, events } = await completedChat("seen");
  const lastId = events.at(-1)?.id ?? 0;
  for (const { alice } of platform.apis) {
    const seen = await alice.get(`/jobs/${jobId}/events`, { "Last-Event-ID": String(lastId) });
    expect([seen.status, seen.body]).toEqual([204, ""]);
    const almost = await (await alice.follow(jobId, lastId - 1)).all();
    expect(almost).toEqual(events.slice(-1));
  }
});

test("`?after=` works like Last-Event-ID, and the header wins", async () => {
  const { jobId, events } = await completedChat("after");
  const ids = (text: string) => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  const following = (id: number) => events.map((event) => event.id).filter((other) => other > id);

  const byQuery = await rawEvents(jobId, { query: "?after=4" });
  expect(ids(byQuery)).toEqual(following(4));
  expect(await rawEvents(jobId, { headers: { "Last-Event-ID": "4" } })).toBe(byQuery);
  const byBoth = await rawEvents(jobId, { query: "?after=2", headers: { "Last-Event-ID": "6" } });
  expect(ids(byBoth)).toEqual(following(6));
});

test("a finished job is replayed whole, by any API", async () => {
  const { jobId, events } = await completedChat("replay");
  for (const { alice } of platform.apis) expect(await (await alice.follow(jobId)).all()).toEqual(events);
});

test("many clients of one job, early and late, on two API processes, all get the same bytes", async () => {
  const { message, answer } = ask("shared", 30, 60);
  const own = await platform.alice.chat({ message });
  const early = Array.from({ length: READERS }, (_, at) => rawEvents(own.jobId, { api: at }));
  const events = await readUpTo(own, 10);
  const late = Array.from({ length: READERS }, (_, at) => rawEvents(own.jobId, { api: at }));
  const texts = await Promise.all([...early, ...late]);
  const finished = await rawEvents(own.jobId);
  expect(new Set(texts)).toEqual(new Set([finished]));

  const replayed = await (await platform.alice.follow(own.jobId)).all();
  expectWholeStream(replayed, answer, "shared");
  expect(replayed.slice(0, events.length)).toEqual(events);
});

test("the events of a job are a 404 for another owner's key (I8)", async () => {
  const { jobId } = await completedChat("private");
  const { status, body } = await platform.bob.get(`/jobs/${jobId}/events?after=2`);
  expect([status, body.error.code]).toEqual([404, "job_not_found"]);
});

describe("once the event log has expired", () => {
  beforeAll(async () => {
    const before = [...platform.workers];
    await platform.startWorker({ EVENT_LOG_TTL_SECONDS: "1" });
    await Promise.all(before.map((worker) => worker.stop(STOP_WITHIN_MS)));
  });

  const logExpired = (jobId: string) =>
    waitFor("the log's expiry", async () => (await platform.redis.exists(platform.keys.eventLog(jobId))) === 0);

  const follow = async (jobId: string, after?: number) => (await platform.alice.follow(jobId, after)).all();

  test("a completed job is replayed as its text in one message and its `done`", async () => {
    const { jobId, answer, events } = await completedChat("expired");
    const done = events.at(-1) as SseEvent;
    await logExpired(jobId);

    expect(await follow(jobId)).toEqual([
      { id: done.id - 1, event: "message", data: { content: answer, type: "text" } },
      done,
    ]);
    expect(await (await apiAt(1).follow(jobId)).all()).toEqual(await follow(jobId));
  });

  test("a client with part of the text gets the whole as a `reset`, and a client that lacks only `done` gets `done`", async () => {
    const { jobId, answer, events } = await completedChat("part");
    const done = events.at(-1) as SseEvent;
    await logExpired(jobId);

    const seen = events.slice(0, 5);
    const rest = await follow(jobId, seen.at(-1)?.id);
    expect(rest).toEqual([{ id: done.id - 1, event: "message", data: { content: answer, type: "reset" } }, done]);
    expect(shownText([...seen, ...rest])).toBe(answer);

    expect(await follow(jobId, done.id - 1)).toEqual([done]);
    const seenAll = await platform.alice.get(`/jobs/${jobId}/events?after=${done.id}`);
    expect(seenAll.status).toBe(204);
  });

  test("a stream of each door that broke while its job ran is whole", async () => {
    await inParallel(DOORS.length, DOORS, async (door) => {
      const { label, message, answer } = ask(`broken through ${door.name}`, 15, 100);
      const stream = await openDoor(door, originAt(0), message);
      await stream.cutAt(door.mostSeen);
      await platform.alice.ended(stream.jobId);
      await logExpired(stream.jobId);
      await stream.resumeAt(originAt(1));
      await stream.readAll();
      expectWholeThrough(door, stream, answer, label);
    });
  });

  test("a failed job is replayed as its error and its `done`", async () => {
    const stream = await platform.alice.chat({ message: "failing [[fault=401]]" }, { "Accept-Language": "en" });
    const events = await stream.all();
    expect(events.map(({ event }) => event)).toEqual(["thought", "error", "done"]);
    expectOneDone(events, "failing", "failed");
    await logExpired(stream.jobId);
    expect(await follow(stream.jobId)).toEqual(events.slice(1));
  });

  test("a cancelled job is replayed as its partial text and its `done`", async () => {
    const { label, message, answer } = ask("cancelled", 200, 50);
    const stream = await platform.alice.chat({ message });
    const events = await cancelDuring(platform.alice, stream, ({ id }) => id === 6);
    expectOneDone(events, label, "cancelled");
    const partial = shownText(events);
    expect(answer.startsWith(partial)).toBe(true);
    expect(partial.length).toBeLessThan(answer.length);
    const [call] = await platform.model.calls({ contains: label });
    expect(call?.ended).toBe("client_closed");

    await logExpired(stream.jobId);
    const done = events.at(-1) as SseEvent;
    expect(await follow(stream.jobId)).toEqual([
      { id: done.id - 1, event: "message", data: { content: partial, type: "text" } },
      done,
    ]);
  });
});
