/** What clients of the platform see, and what it stores and counts, when providers write as only they do. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ProviderAnswer } from "../providers/provider-case.ts";
import { serveAnswers } from "../providers/serve-answers.ts";
import { call, chunk, DONE, FINE, failure, stream, usageChunk } from "../providers/wire.ts";
import type { Json } from "../support/api-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { shownText, thoughtsOf } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let provider: Awaited<ReturnType<typeof serveAnswers>>;
let platform: TestPlatform;
beforeAll(async () => {
  provider = await serveAnswers();
  platform = await startTestPlatform({ workers: 0 });
  await platform.startWorker({ OPENAI_BASE_URL: provider.baseUrl });
});
afterAll(async () => {
  await platform.stop();
  await provider.close();
});

/** One chat with a model of that name, whose provider answers so. */
async function chat(model: string, answers: readonly ProviderAnswer[], more: object = {}) {
  const { sent } = provider.add(answers, true, model);
  const { alice } = platform;
  const open = await alice.chat({ message: "Hello", config: { model }, ...more }, { "Accept-Language": "en" });
  const events = await open.all();
  const [, ...answered] = await alice.history(open.sessionId);
  return { events, done: events.at(-1)?.data, job: await alice.job(open.jobId), answered, sent, open };
}

const assistant = (content: string): Json => ({ role: "assistant", content });

test("a refusal is shown, stored and told as one", async () => {
  const refusing = stream(
    chunk({ refusal: "I must " }),
    chunk({ refusal: "not." }),
    chunk({}, "stop"),
    usageChunk(7, 4),
    DONE,
  );
  const { events, done, job, answered } = await chat("refusing", [refusing]);
  expect(shownText(events)).toBe("I must not.");
  const usage = { input_tokens: 7, output_tokens: 4, total_tokens: 11 };
  expect(done).toMatchObject({ status: "completed", finish_reason: "refusal", usage });
  expect(job).toMatchObject({
    status: "completed",
    usage,
    result: { content: "I must not.", finish_reason: "refusal" },
  });
  expect(answered).toMatchObject([assistant("I must not.")]);
});

test("thoughts that use up all tokens leave a failed job that says so", async () => {
  const { events, done, job } = await chat("thinking", [
    stream(chunk({ reasoning_content: "Let me think" }), chunk({}, "length"), usageChunk(7, 64), DONE),
  ]);
  expect(thoughtsOf(events, "reasoning").map(({ content }) => content)).toEqual(["Let me think"]);
  expect(done).toMatchObject({ status: "failed", finish_reason: "length" });
  expect(job.error).toMatchObject({ code: "model_answer_empty", message: expect.stringContaining("max_tokens") });
  expect(job.result).toMatchObject({ content: "", finish_reason: "length" });
  expect(thoughtsOf(events, "status")).toContainEqual(expect.objectContaining({ finish_reason: "length" }));
});

test("a thought signature goes back with its call, and thoughts in tags are none of the answer", async () => {
  const extra_content = { google: { thought_signature: "EjQKMg+/==" } };
  const function_ = { name: "calculator", arguments: '{"expression":"2+2"}' };
  const { events, answered, sent } = await chat(
    "gemini-3-pro",
    [
      stream(chunk({ tool_calls: [{ id: "g1", type: "function", function: function_, extra_content }] }, "stop"), DONE),
      stream(chunk({ content: "<thi" }), chunk({ content: "nk>Easy.</think>\n\nFour." }, "stop"), DONE),
    ],
    { agent_type: "tool_basic" },
  );
  expect(shownText(events)).toBe("Four.");
  expect(thoughtsOf(events, "tool_result")).toMatchObject([{ name: "calculator", status: "ok", result: "4" }]);
  expect(answered).toMatchObject([assistant("Four.")]);
  expect(sent[1]).toMatchObject({ messages: [{}, { tool_calls: [{ id: "g1", extra_content }] }, { content: "4" }] });
});

test("a used-up balance within the stream ends the job at once", async () => {
  const { events, job } = await chat("unpaid", [
    stream({ error: { code: 402, message: "This request requires more credits." } }, DONE),
  ]);
  expect(events.at(-2)).toMatchObject({ event: "error", data: { code: "model_quota_exceeded", retryable: false } });
  expect(job).toMatchObject({ status: "failed", attempt: 1, error: { code: "model_quota_exceeded" } });
});

test("a session goes on after a message that the provider refused, and the roles alternate", async () => {
  const { job, open, sent } = await chat("strict", [
    failure(400, { detail: [{ loc: ["body", "messages"], msg: "Roles are out of order" }] }),
    FINE,
  ]);
  expect(job.error).toMatchObject({ code: "model_rejected", message: expect.stringContaining("out of order") });
  const next = await platform.alice.chatWhole("Again", { session_id: open.sessionId, config: { model: "strict" } });
  expect(next.body).toMatchObject({ status: "completed", message: { content: "All fine." } });
  const { messages } = sent[1] as { readonly messages: readonly { readonly role: string; readonly content: string }[] };
  expect(messages.map(({ role, content }) => [role, content])).toEqual([
    ...[
      ["user", "Hello"],
      ["assistant", "(no answer)"],
      ["user", "Again"],
    ],
  ]);
});

test.each<[what: string, answer: ProviderAnswer, answered: string, isCancelled?: true]>([
  ["said nothing", stream(chunk({}, "stop"), DONE), "(no answer)"],
  ["thought and said nothing", stream(chunk({ reasoning: "Hm" }), chunk({}, "length"), DONE), "(no answer)"],
  ["was filtered", stream(chunk({}, "content_filter"), DONE), "(no answer)"],
  ["was cancelled before its first word", { events: [": waiting\n\n"], staysOpen: true }, "(no answer)", true],
  ["was cancelled within its answer", { events: [chunk({ content: "Al" })], staysOpen: true }, "Al", true],
])("a session goes on after a turn that %s, and the roles alternate", async (what, answer, answered, isCancelled) => {
  const { alice } = platform;
  const config = { model: what };
  const { sent } = provider.add([answer, FINE], false, what);
  const open = await alice.chat({ message: "Hello", config });
  if (isCancelled) await waitFor("the request", () => sent.length > 0);
  if (isCancelled && answered === "(no answer)") await alice.cancel(open.jobId);
  for await (const { event } of open.events()) if (isCancelled && event === "message") await alice.cancel(open.jobId);
  const next = await alice.chatWhole("Again", { session_id: open.sessionId, config });
  expect(next.body).toMatchObject({ status: "completed" });
  expect((sent.at(-1) as Json).messages.map(({ role, content }: Json) => [role, content])).toEqual([
    ["user", "Hello"],
    ["assistant", answered],
    ["user", "Again"],
  ]);
});

test("calls of one id are told apart by their results", async () => {
  const calling = (expression: string) => ({
    ...call("0", { expression }),
    function: { name: "calculator", arguments: { expression } },
  });
  const { events, sent } = await chat(
    "same-ids",
    [
      stream(chunk({ tool_calls: [calling("1+1")] }), chunk({ tool_calls: [calling("3+3")] }, "tool_calls"), DONE),
      FINE,
    ],
    { agent_type: "tool_basic" },
  );
  const ids = thoughtsOf(events, "tool_call").map(({ call_id }) => call_id);
  expect(new Set(ids).size).toBe(2);
  const results = (sent[1] as Json).messages.filter(({ role }: Json) => role === "tool");
  expect(results.map(({ content }: Json) => content)).toEqual(["2", "6"]);
  expect(new Set(results.map(({ tool_call_id }: Json) => tool_call_id)).size).toBe(2);
});
