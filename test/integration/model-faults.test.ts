/**
 * Whatever the model provider does, a job ends within its limits (I1): in an error with its code, or in an answer of a
 * later attempt, which every client then shows exactly as history keeps it (I2, I4). No upstream request stays open.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import { REFUSALS, STREAM_FAULTS } from "../../scripts/model-server/step.ts";
import type { ApiClient, Json } from "../support/api-client.ts";
import { expectNumbered } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type SseEvent, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

const FIRST_TOKEN_MS = 1_200;
const IDLE_MS = 1_300;
const TOTAL_MS = 2_500;
/** For two noisy cores. */
const LATE_MS = 4_000;
const TRIES = 3;
/** Chats at once in the worker: all that are tested here, and as many again when all of them are over. */
const SLOTS = 32;

type Hopeless = [directives: string, code: string, calls: number, ended: string[], withinMs: number];

const STAYING: Hopeless[] = [
  ["fault=401", "model_auth_failed", 1, ["fault"], 0],
  ["fault=403", "model_auth_failed", 1, ["fault"], 0],
  ["fault=400", "model_rejected", 1, ["fault"], 0],
  ["fault=404", "model_rejected", 1, ["fault"], 0],
  ["fault=quota", "model_quota_exceeded", 1, ["fault"], 0],
  ["fault=context_length", "model_context_exceeded", 1, ["fault"], 0],
  ["fault=429", "model_rate_limited", TRIES, ["fault"], 0],
  ["fault=500", "model_unavailable", TRIES, ["fault"], 0],
  ["fault=503", "model_unavailable", TRIES, ["fault"], 0],
  ["fault=no_headers", "model_timeout", TRIES, ["client_closed"], FIRST_TOKEN_MS],
  ["fault=silence", "model_timeout", TRIES, ["client_closed"], FIRST_TOKEN_MS],
  ["fault=silence after=3 tokens=9", "model_timeout", TRIES, ["client_closed"], IDLE_MS],
  ["fault=keepalive after=3 tokens=9", "model_timeout", TRIES, ["client_closed"], IDLE_MS],
  ["tokens=9000 rate=10", "model_timeout", TRIES, ["client_closed"], TOTAL_MS],
  ["fault=cut after=3 tokens=9", "model_stream_broken", TRIES, ["fault"], 0],
  ["fault=malformed after=3 tokens=9", "model_stream_broken", TRIES, ["fault", "client_closed"], 0],
  ["fault=error_chunk after=3 tokens=9", "model_stream_broken", TRIES, ["fault", "client_closed"], 0],
  ["fault=no_done tokens=9", "model_stream_broken", TRIES, ["fault"], 0],
];

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
/** All run at once: most of their time is waiting. */
const outcomes = new Map<string, Promise<Outcome>>();
beforeAll(async () => {
  platform = await startTestPlatform({
    env: {
      MODEL_FIRST_TOKEN_TIMEOUT_MS: String(FIRST_TOKEN_MS),
      MODEL_IDLE_TIMEOUT_MS: String(IDLE_MS),
      MODEL_TOTAL_TIMEOUT_MS: String(TOTAL_MS),
      WORKER_CHAT_CONCURRENCY: String(SLOTS),
    },
  });
  ({ alice } = platform);
  for (const [directives] of [...STAYING, ...PASSING]) {
    const outcome = run(directives);
    // Reported by the test that awaits it.
    outcome.catch(() => {});
    outcomes.set(directives, outcome);
  }
});
afterAll(() => platform.stop());

type Outcome = { readonly events: SseEvent[]; readonly job: Json; readonly calls: Json[]; readonly answers: Json[] };

/** Streams one chat to its end, and looks at all that is left of it. */
async function run(directives: string): Promise<Outcome> {
  const message = `[[${directives}]] Go`;
  const stream = await alice.chat({ message }, { "Accept-Language": "en" });
  const events = await stream.all();
  const job = (await alice.get(`/jobs/${stream.jobId}`)).body;
  const history = (await alice.get(`/chat/history?session_id=${stream.sessionId}`)).body;
  const calls = await waitFor("the upstream requests to close", async () => {
    const made = await platform.model.calls({ contains: message });
    return made.every(({ ended }) => ended !== "open") && made;
  });
  return { events, job, calls, answers: history.messages.slice(1) };
}

function expectWholeStream(events: readonly SseEvent[], status: string): void {
  expectNumbered(events, "the stream");
  expect(events.filter(({ event }) => event === "done")).toHaveLength(1);
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status } });
}

const retries = (events: readonly SseEvent[]) =>
  events.filter(({ event, data }) => event === "thought" && data.type === "retry").map(({ data }) => data.attempt);
const resets = (events: readonly SseEvent[]) =>
  events.filter(({ event, data }) => event === "message" && data.type === "reset").length;

const outcomeOf = (directives: string) => outcomes.get(directives) as Promise<Outcome>;

test.each(STAYING)("a fault that stays, %s, ends in the error %s", async (directives, code, tries, ended, withinMs) => {
  const { events, job, calls, answers } = await outcomeOf(directives);
  expectWholeStream(events, "failed");
  expect(events.at(-2)).toMatchObject({ event: "error", data: { code, message: job.error.message } });
  expect(events.filter(({ event }) => event === "error")).toHaveLength(1);
  expect(retries(events)).toEqual(tries === TRIES ? [2, 3] : []);

  expect(job).toMatchObject({ status: "failed", attempt: tries, error: { code } });
  expect(job.result.content).toBe(shownText(events));
  expect(answers.map(({ content }) => content).join("")).toBe(shownText(events));

  expect(calls).toHaveLength(tries);
  for (const call of calls) {
    expect(ended).toContain(call.ended);
    const sinceToken = withinMs === IDLE_MS ? call.first_token_at_ms : null;
    const took = call.ended_at_ms - (sinceToken ?? call.at_ms);
    expect(took).toBeLessThan(withinMs + LATE_MS);
    // The limit that was meant, not a shorter one; it runs from before the call arrives.
    expect(took).toBeGreaterThanOrEqual(0.6 * withinMs);
  }
});

test.each(PASSING)("a fault that passes, %s, is retried until the answer stands", async (directives, failures) => {
  const { events, job, calls, answers } = await outcomeOf(directives);
  expectWholeStream(events, "completed");
  expect(events.some(({ event }) => event === "error")).toBe(false);
  expect(retries(events)).toEqual([2, 3].slice(0, failures));
  expect(resets(events)).toBe(failures);

  expect(shownText(events)).toBe(ANSWER);
  expect(job).toMatchObject({ status: "completed", attempt: failures + 1, result: { content: ANSWER } });
  expect(answers).toMatchObject([{ role: "assistant", content: ANSWER }]);
  expect(calls).toHaveLength(failures + 1);
  expect(calls.at(-1).ended).toBe("done");
});

test("every fault that the model server knows is among them", () => {
  const tested = STAYING.map(([directives]) => /fault=(\S+)/.exec(directives)?.[1]);
  expect([...REFUSALS, ...STREAM_FAULTS, "no_headers"].map(String).filter((fault) => !tested.includes(fault))).toEqual(
    [],
  );
});

test("when all is over no upstream request is open, and every slot of the worker is free", async () => {
  await Promise.all(outcomes.values());
  expect((await platform.model.stats()).open_streams).toBe(0);
  const ids = await Promise.all(
    Array.from({ length: SLOTS }, async () => (await alice.chat({ message: "[[tokens=20 rate=10]] slot" })).jobId),
  );
  await waitFor("all slots to be taken", async () => (await platform.model.stats()).open_streams === SLOTS);
  for (const id of ids) expect(await alice.ended(id)).toMatchObject({ status: "completed", attempt: 1 });
});

test("a retry waits as long as the provider asks", async () => {
  const { calls, events } = await outcomeOf(answering("fault=429 retry_after=2 times=1"));
  const [refused, answered] = calls;
  // The queue and the model read clocks of milliseconds, each rounded its own way.
  expect(answered.at_ms - refused.ended_at_ms).toBeGreaterThanOrEqual(1_980);
  const announced = events.find(({ data }) => data.code === "model_rate_limited");
  expect(announced?.data.delay_ms).toBeGreaterThanOrEqual(2_000);
});
