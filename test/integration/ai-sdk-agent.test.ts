/** Agents of the AI SDK on the platform, with the packages of its example: what the adapter promises, over HTTP. */
import { expect, test } from "vitest";
import { frameworkContract } from "../support/framework-contract.ts";
import { decisionsContract } from "../support/framework-decisions.ts";
import { hardshipsContract, streamlessContract } from "../support/framework-hardships.ts";
import { useFramework } from "../support/framework-platform.ts";
import { thoughtsOf } from "../support/sse-client.ts";

const framework = useFramework("ai-sdk");
const execute = (task: string, role: string) => framework.platform.alice.execute(task, {}, framework.agent(role));

frameworkContract(framework, { approve: true });
decisionsContract(framework);
hardshipsContract(framework);
streamlessContract(framework);

test("a run that stopWhen ends between calls and answer says so by its finish_reason", async () => {
  const jobId = await execute('[[calls=fails({})|fails({"n":1})|fails({"n":2})]] Limited', "limited");
  expect(await framework.platform.alice.ended(jobId)).toMatchObject({
    ...{ status: "completed", result: { content: "", finish_reason: "tool_calls" } },
  });
});

test("a time limit of the SDK fails the job as a model that is too slow, after the platform's retries", async () => {
  const jobId = await execute("[[ttft=5000 tokens=3]] Hurry", "hurried");
  expect(await framework.platform.alice.ended(jobId)).toMatchObject({
    ...{ status: "failed", error: { code: "model_timeout" } },
  });
});

test("what the provider does by itself is shown: its tool calls, sources and files", async () => {
  const chat = await framework.platform.alice.chat({ agent_type: framework.agent("searching"), message: "Soup?" });
  const events = await chat.all();
  expect(thoughtsOf(events, "tool_call")).toMatchObject([{ name: "web_search", arguments: { query: "soup" } }]);
  expect(thoughtsOf(events, "tool_result")).toMatchObject([
    { name: "web_search", status: "ok", result: '{"found":1}' },
  ]);
  expect(thoughtsOf(events, "status")).toMatchObject([
    {},
    { content: "Soup (https://example.com/soup)", source: { url: "https://example.com/soup", title: "Soup" } },
    { content: "The model made a file (image/png, 4 bytes)", file: { media_type: "image/png", bytes: 4 } },
  ]);
  expect(await framework.platform.alice.job(chat.jobId)).toMatchObject({
    result: { content: "Soup of the day.", data: { files: ["iVBORw=="] } },
    usage: { total_tokens: 7, models: { searching: { total_tokens: 7 } } },
  });
});

test("an image of the web is refused, because the SDK would fetch it from the worker", async () => {
  const message = [{ type: "image_url", image_url: { url: "http://169.254.169.254/a.png" } }];
  const chat = await framework.platform.alice.chat({ agent_type: framework.agent("desk"), message });
  await chat.all();
  expect(await framework.platform.alice.job(chat.jobId)).toMatchObject({
    ...{
      status: "failed",
      error: { code: "model_input_unsupported", message: expect.stringContaining("Send its data") },
    },
  });
});
