/**
 * A response in the background, whatever happens to its connections, its worker and its log (I1, I2): the official
 * client goes on where it was, on any API.
 */
import type { ResponseStreamEvent } from "openai/resources/responses/responses";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { createOpenAiClient } from "../support/openai-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { workerOf } from "../support/worker-of.ts";

let platform: TestPlatform;
let here: ReturnType<typeof createOpenAiClient>;
let elsewhere: ReturnType<typeof createOpenAiClient>;
beforeAll(async () => {
  platform = await startTestPlatform({ apis: 2, workers: 2 });
  const [first, second] = platform.apis.map(({ origin }) => createOpenAiClient(origin, KEYS.alice));
  if (first === undefined || second === undefined) throw new Error("two APIs were asked for");
  [here, elsewhere] = [first, second];
});
afterAll(async () => {
  await Promise.all([here.checked(), elsewhere.checked()]);
  await platform.stop();
});

const MODEL = "chat_basic";
const BUSY = "[[tokens=1 ttft=60000]]";
const jobIdOf = (id: string) => id.replace("resp_", "");

const create = (input: string) => here.responses.create({ model: MODEL, input, background: true, stream: true });

/** Reads up to so many pieces of the answer, and leaves. */
async function readPieces(stream: AsyncIterable<ResponseStreamEvent>, pieces: number): Promise<Json[]> {
  const events: Json[] = [];
  for await (const event of stream) {
    events.push(event);
    if (textOf(events).pieces >= pieces) break;
  }
  return events;
}

function textOf(events: readonly Json[]) {
  const deltas = events.filter(({ type }) => type === "response.output_text.delta").map(({ delta }) => delta);
  return { pieces: deltas.length, text: deltas.join("") };
}

const resume = async (client: typeof here, events: readonly Json[]): Promise<Json[]> => {
  const starting_after = events.at(-1).sequence_number;
  return Array.fromAsync(await client.responses.retrieve(events[0].response.id, { stream: true, starting_after }));
};

function expectWhole(events: readonly Json[], answer: string): void {
  const numbers = events.map(({ sequence_number }) => sequence_number);
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect(textOf(events).text).toBe(answer);
  expect(events.filter(({ type }) => /completed|failed|incomplete$/.test(type)).map(({ type }) => type)).toEqual([
    "response.completed",
  ]);
  expect(events.at(-1).response.output.at(-1).content[0].text).toBe(answer);
}

test("a dropped stream is resumed on another API, and the job reads the same natively", async () => {
  const seen = await readPieces(await create("[[tokens=40 rate=40]] to be dropped"), 8);
  const rest = await resume(elsewhere, seen);
  const jobId = jobIdOf(seen[0].response.id);
  const natively = await (await platform.alice.follow(jobId)).all();
  const job = await platform.alice.job(jobId);
  expect(job.status).toBe("completed");
  expect(shownText(natively)).toBe(job.result.content);
  expectWhole([...seen, ...rest], job.result.content);
  const whole = (await Array.fromAsync(await here.responses.retrieve(seen[0].response.id, { stream: true }))) as Json[];
  expect([...seen, ...rest]).toEqual(whole);
});

test("a response in the background is polled on another API until it has ended", async () => {
  const queued = await here.responses.create({ model: MODEL, input: "[[text=Polled ttft=300]]", background: true });
  expect([queued.status, queued.background, queued.output]).toEqual(["queued", true, []]);
  const ended = await waitFor("the response", async () => {
    const response = await elsewhere.responses.retrieve(queued.id);
    return ["queued", "in_progress"].includes(response.status ?? "") ? undefined : response;
  });
  expect([ended.status, ended.output_text]).toEqual(["completed", "Polled"]);
});

test("a response is cancelled on another API, and its stream ends", async () => {
  const stream = await create(BUSY);
  const events: Json[] = [];
  for await (const event of stream) {
    events.push(event);
    if (event.type !== "response.in_progress") continue;
    const cancelled = await elsewhere.responses.cancel(events[0].response.id);
    expect(cancelled.status).toBe("cancelled");
  }
  expect(events.at(-1)).toMatchObject({ type: "response.incomplete", response: { status: "cancelled" } });
  expect((await here.responses.cancel(events[0].response.id)).status).toBe("cancelled");
});

test("what still runs goes on to nothing, and is not deleted", async () => {
  const response = await here.responses.create({ model: MODEL, input: BUSY, background: true });
  const refusal = (promise: Promise<unknown>) => promise.catch(({ status, code }: Json) => [status, code]);
  const next = { model: MODEL, input: "Too early", previous_response_id: response.id };
  expect(await refusal(here.responses.create(next, { maxRetries: 0 }))).toEqual([409, "session_busy"]);
  expect(await refusal(here.responses.delete(response.id, { maxRetries: 0 }))).toEqual([409, "session_busy"]);
  await here.responses.cancel(response.id);
});

test("a worker that is killed in mid-stream leaves no gap and no piece twice", async () => {
  const stream = await create("[[tokens=30 rate=15]] whose worker dies");
  const events: Json[] = [];
  let killed = false;
  for await (const event of stream) {
    events.push(event);
    if (killed || textOf(events).pieces < 5) continue;
    killed = true;
    await (await workerOf(platform, jobIdOf(events[0].response.id))).kill();
  }
  const job = await platform.alice.job(jobIdOf(events[0].response.id));
  expect(job.attempt).toBe(2);
  expectWhole(events, job.result.content);
});

describe("once the event log has expired", () => {
  beforeAll(async () => {
    await platform.startWorker({ EVENT_LOG_TTL_SECONDS: "1" });
    await Promise.all(platform.workers.slice(0, -1).map((worker) => worker.stop(15_000)));
  });

  const logExpired = (jobId: string) =>
    waitFor("the log's expiry", async () => (await platform.redis.exists(platform.keys.eventLog(jobId))) === 0);

  test("a response is found, streamed and resumed from the database", async () => {
    const seen = await readPieces(await create("[[tokens=30 rate=60]] to expire"), 5);
    const { id } = seen[0].response;
    const job = await platform.alice.ended(jobIdOf(id));
    await logExpired(job.id);
    const response = await elsewhere.responses.retrieve(id);
    expect([response.status, response.output_text]).toEqual(["completed", job.result.content]);
    const whole = (await Array.fromAsync(await elsewhere.responses.retrieve(id, { stream: true }))) as Json[];
    expectWhole(whole, job.result.content);
    const rest = await resume(elsewhere, seen);
    expect(rest.map(({ type }) => type)).toEqual([
      ...["response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed"],
    ]);
    expect(rest[0].text).toBe(job.result.content);
    expect(rest[0].sequence_number).toBeGreaterThan(seen.at(-1).sequence_number);
  });
});
