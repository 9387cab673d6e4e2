/** How an answer ended: in `done`, in results, in history, in a thought, and as the failure of an empty answer. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { forgetJob } from "../support/job-state.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type RawProvider, startRawProvider, turnOf } from "../support/raw-provider.ts";

/** The message is how the turn ends, then what it says. */
const answerTo = ({ messages }: Json): Json[] => {
  const [finishReason = "", ...words] = String(messages.at(-1).content).split(" ");
  return turnOf(words, finishReason);
};

let provider: RawProvider;
let platform: TestPlatform;
beforeAll(async () => {
  provider = await startRawProvider(answerTo);
  platform = await startTestPlatform({ env: { EVENT_LOG_TTL_SECONDS: "3600" }, workers: 0 });
  await platform.startWorker(provider.env);
});
afterAll(async () => {
  await platform.stop();
  await provider.close();
});

const chat = (message: string, language: string) =>
  platform.alice.chat({ agent_type: "chat_basic", message }, { "Accept-Language": language });

test.each([
  ["length", "en", "limit of output tokens"],
  ["content_filter", "en", "content filter"],
  ["length", "zh", "输出 token 上限"],
  ["content_filter", "zh", "内容过滤器"],
])("an answer that ended with %s says so wherever it is shown, in the language %s", async (reason, language, words) => {
  const stream = await chat(`${reason} half an`, language);
  const events = await stream.all();
  expect(events.at(-2)).toMatchObject({
    event: "thought",
    data: { type: "status", finish_reason: reason, content: expect.stringContaining(words) },
  });
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed", finish_reason: reason } });
  expect((await platform.alice.ended(stream.jobId)).result).toEqual({ content: "halfan", finish_reason: reason });
  expect((await platform.alice.history(stream.sessionId)).at(-1).metadata).toEqual({
    status: "completed",
    finish_reason: reason,
  });
  // The stream as the database replays it once the log is gone.
  await forgetJob(platform, stream.jobId);
  expect((await (await platform.alice.follow(stream.jobId)).all()).at(-1)).toEqual(events.at(-1));
});

test("a whole answer and one that is asked for again by its key say how it ended", async () => {
  const headers = { "Idempotency-Key": "cut-once" };
  const [first, again] = [
    await platform.alice.chatWhole("length half", {}, headers),
    await platform.alice.chatWhole("length half", {}, headers),
  ];
  expect(first.body).toMatchObject({ status: "completed", finish_reason: "length" });
  expect(again.body).toEqual(first.body);
  expect((await platform.alice.chatWhole("stop All is said")).body.finish_reason).toBe("stop");
});

test.each([
  ["length", "model_answer_empty", 502],
  ["content_filter", "model_content_filtered", 422],
  ["stop", "model_answer_empty", 502],
])("a job whose answer is empty and ended with %s fails with %s", async (reason, code, status) => {
  const whole = await platform.alice.chatWhole(reason);
  expect([whole.status, whole.body.error.code]).toEqual([status, code]);
  expect(await platform.alice.ended(whole.body.error.job_id)).toMatchObject({
    status: "failed",
    error: { code },
    result: { content: "", finish_reason: reason },
  });
});

test("an orchestrator's steps say how they ended, and so does the answer that is joined from them", async () => {
  const plan = {
    steps: [
      { id: "whole", agent: "chat_basic", task: "stop all" },
      { id: "cut", agent: "chat_basic", task: "length half" },
    ],
  };
  const jobId = await platform.alice.execute("stop", { config: { plan, join: "concat" } }, "orchestrator");
  const { result } = await platform.alice.ended(jobId);
  expect(result.finish_reason).toBe("length");
  expect(result.data.steps).toMatchObject([
    { id: "whole", finish_reason: "stop" },
    { id: "cut", finish_reason: "length" },
  ]);
  const events = await (await platform.alice.follow(jobId)).all();
  const ended = events.filter(({ data }) => data.type === "delegate" && data.status === "completed");
  expect(ended.map(({ data }) => data.finish_reason).sort()).toEqual(["length", "stop"]);
});
