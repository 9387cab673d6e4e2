/**
 * Faults of the model provider: a job ends (I1) in an error with its code, or in the answer of a later attempt, which
 * every client shows exactly as history keeps it (I2, I4). No upstream request stays open.
 */
import { SECOND } from "@agent-paas/shared/time.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { REFUSALS, STREAM_FAULTS } from "../../scripts/model-server/step.ts";
import type { ApiClient, Json } from "../support/api-client.ts";
import { expectNumbered, expectOneDone } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type SseEvent, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

const FIRST_TOKEN_MS = 1_200;
const IDLE_MS = 1_300;
const TOTAL_MS = 2_500;
const TRIES = 3;
/** Chats at once in the worker: all chats of this file. */
const SLOTS = 32;

/** Bounds of the tokens that a call sends; they show which of the time limits ended it. */
type Tokens = readonly [least: number, most: number];
const NONE: Tokens = [0, 0];
const SOME: Tokens = [0, 9];
const THREE: Tokens = [3, 3];
/** More than the model sends within the idle limit at 10 tokens/s, so the idle limit did not end the call. */
const BEYOND_IDLE: Tokens = [Math.ceil(IDLE_MS / 100) + 1, 8_999];

type LastingFault = [directives: string, code: string, calls: number, ended: string[], tokens: Tokens];

const LASTING: LastingFault[] = [
  ["fault=401", "model_auth_failed", 1, ["fault"], SOME],
  ["fault=403", "model_auth_failed", 1, ["fault"], SOME],
  ["fault=400", "model_rejected", 1, ["fault"], SOME],
  ["fault=404", "model_rejected", 1, ["fault"], SOME],
  ["fault=quota", "model_quota_exceeded", 1, ["fault"], SOME],
  ["fault=context_length", "model_context_exceeded", 1, ["fault"], SOME],
  ["fault=429", "model_rate_limited", TRIES, ["fault"], SOME],
  ["fault=500", "model_unavailable", TRIES, ["fault"], SOME],
  ["fault=503", "model_unavailable", TRIES, ["fault"], SOME],
  ["fault=no_headers", "model_timeout", TRIES, ["client_closed"], NONE],
  ["fault=silence", "model_timeout", TRIES, ["client_closed"], NONE],
  ["fault=silence after=3 tokens=9", "model_timeout", TRIES, ["client_closed"], THREE],
  ["fault=keepalive after=3 tokens=9", "model_timeout", TRIES, ["client_closed"], THREE],
  ["tokens=9000 rate=10", "model_timeout", TRIES, ["client_closed"], BEYOND_IDLE],
  ["fault=cut after=3 tokens=9", "model_stream_broken", TRIES, ["fault"], SOME],
  ["fault=malformed after=3 tokens=9", "model_stream_broken", TRIES, ["fault", "client_closed"], SOME],
  ["fault=error_chunk after=3 tokens=9", "model_stream_broken", TRIES, ["fault", "client_closed"], SOME],
  ["fault=no_done tokens=9", "model_stream_broken", TRIES, ["fault"], SOME],
];

const ROUNDING_MS = 20;
const ANSWER = "Four words at last";
const answering = (fault: string) => `text=${encodeURIComponent(ANSWER)} ${fault}`;

const PASSING: [directives: string, failures: number][] = [
  [answering("fault=429 retry_after=2 times=1"), 1],
  [answering("fault=500 times=2"), 2],
  [answering("fault=no_headers times=1"), 1],
  [answering("fault=silence after=2 times=1"), 1],
  [answering("fault=cut after=2 times=1"), 1],
  [answering("fault=malformed after=2 times=2"), 2],
  [answering("fault=error_chunk after=2 times=1"), 1],
  [answering("fault=no_done times=1"), 1],
];

let platform: TestPlatform;
let alice: ApiClient;
/** All chats run at once, because most of their time is waiting. */
const outcomes = new Map<string, Promise<Outcome>>();
beforeAll(async () => {
  platform = await startTestPlatform({
    // Its limits are short, and the test's process is busy.
    modelApart: true,
    env: {
      MODEL_FIRST_TOKEN_TIMEOUT_MS: String(FIRST_TOKEN_MS),
      MODEL_IDLE_TIMEOUT_MS: String(IDLE_MS),
      MODEL_TOTAL_TIMEOUT_MS: String(TOTAL_MS),
      WORKER_CHAT_CONCURRENCY: String(SLOTS),
    },
  });
  ({ alice } = platform);
  for (const [directives] of [...LASTING, ...PASSING]) {
    const outcome = run(directives);
    // The test that awaits the outcome reports the error.
    outcome.catch(() => {});
    outcomes.set(directives, outcome);
  }
});
afterAll(() => platform.stop());

type Outcome = { readonly events: SseEvent[]; readonly job: Json; readonly calls: Json[]; readonly answers: Json[] };

/** Streams one chat to its end and collects its job, its model calls and its answers. */
async function run(directives: string): Promise<Outcome> {
  const message = `[[${directives}]] Go`;
  const stream = await alice.chat({ message }, { "Accept-Language": "en" });
  const events = await stream.all();
  const job = await alice.job(stream.jobId);
  const messages = await alice.history(stream.sessionId);
  const calls = await waitFor("the upstream requests to close", async () => {
    const made = await platform.model.calls({ contains: message });
    return made.every(({ ended }) => ended !== "open") && made;
  });
  return { events, job, calls, answers: messages.slice(1) };
}

function expectNumberedTo(status: string, events: readonly SseEvent[]): void {
  expectNumbered(events, "the stream");
  expectOneDone(events, "the stream", status);
}

const retries = (events: readonly SseEvent[]) =>
  events.filter(({ event, data }) => event === "thought" && data.type === "retry").map(({ data }) => data.attempt);
const resets = (events: readonly SseEvent[]) =>
  events.filter(({ event, data }) => event === "message" && data.type === "reset").length;

const outcomeOf = (directives: string) => outcomes.get(directives) as Promise<Outcome>;

test.each(LASTING)(
  "a lasting fault, %s, ends the job with the error %s",
  async (directives, code, tries, ended, [least, most]) => {
    const { events, job, calls, answers } = await outcomeOf(directives);
    expectNumberedTo("failed", events);
    expect(events.at(-2)).toMatchObject({ event: "error", data: { code, message: job.error.message } });
    expect(events.filter(({ event }) => event === "error")).toHaveLength(1);
    expect(retries(events)).toEqual(tries === TRIES ? [2, 3] : []);

    expect(job).toMatchObject({ status: "failed", attempt: tries, error: { code } });
    expect(job.result.content).toBe(shownText(events));
    expect(answers.map(({ content }) => content).join("")).toBe(shownText(events));

    expect(calls).toHaveLength(tries);
    for (const call of calls) {
      expect(ended).toContain(call.ended);
      expect(call.tokens_sent).toBeGreaterThanOrEqual(least);
      expect(call.tokens_sent).toBeLessThanOrEqual(most);
    }
  },
);

test.each(PASSING)("a passing fault, %s, is retried until the answer is complete", async (directives, failures) => {
  const { events, job, calls, answers } = await outcomeOf(directives);
  expectNumberedTo("completed", events);
  expect(events.some(({ event }) => event === "error")).toBe(false);
  expect(retries(events)).toEqual([2, 3].slice(0, failures));
  expect(resets(events)).toBe(failures);

  expect(shownText(events)).toBe(ANSWER);
  expect(job).toMatchObject({ status: "completed", attempt: failures + 1, result: { content: ANSWER } });
  expect(answers).toMatchObject([{ role: "assistant", content: ANSWER }]);
  expect(calls).toHaveLength(failures + 1);
  expect(calls.at(-1).ended).toBe("done");
});

test("every fault of the model server is among the lasting faults", () => {
  const tested = LASTING.map(([directives]) => /fault=(\S+)/.exec(directives)?.[1]);
  expect([...REFUSALS, ...STREAM_FAULTS, "no_headers"].map(String).filter((fault) => !tested.includes(fault))).toEqual(
    [],
  );
});

test("after all faults no upstream request is open, and every slot of the worker is free", async () => {
  await Promise.all(outcomes.values());
  expect((await platform.model.stats()).open_streams).toBe(0);
  const ids = await Promise.all(
    Array.from({ length: SLOTS }, async () => (await alice.chat({ message: "[[tokens=20 rate=10]] slot" })).jobId),
  );
  await waitFor("all slots to be taken", async () => (await platform.model.stats()).open_streams === SLOTS);
  for (const id of ids) expect(await alice.ended(id)).toMatchObject({ status: "completed", attempt: 1 });
});

test("a retry waits for as long as the provider asks", async () => {
  const { calls, events } = await outcomeOf(answering("fault=429 retry_after=2 times=1"));
  const [refused, answered] = calls;
  const announced = Number(events.find(({ data }) => data.code === "model_rate_limited")?.data.delay_ms);
  expect(announced).toBeGreaterThanOrEqual(2 * SECOND);
  // A lower bound, which no slow machine can miss. The clocks of queue and model server are rounded to milliseconds.
  expect(answered.at_ms - refused.ended_at_ms).toBeGreaterThanOrEqual(announced - ROUNDING_MS);
});
