/** How OpenAI's responses tell what a model thinks, and how its answer ended. */
import { UnprocessableEntityError } from "openai";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { createOpenAiClient } from "../support/openai-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type RawProvider, startRawProvider, turnOf } from "../support/raw-provider.ts";

const thinking = ["Let me ", "think."].map((reasoning_content) => ({
  choices: [{ index: 0, delta: { reasoning_content } }],
}));

/** The message is how the turn ends, then what it says. */
const answerTo = ({ messages }: Json): Json[] => {
  const [finishReason = "", ...words] = String(messages.at(-1).content).split(" ");
  return [...thinking, ...turnOf(words, finishReason)];
};

let provider: RawProvider;
let platform: TestPlatform;
let client: ReturnType<typeof createOpenAiClient>;
beforeAll(async () => {
  provider = await startRawProvider(answerTo);
  platform = await startTestPlatform({ workers: 0 });
  await platform.startWorker(provider.env);
  client = createOpenAiClient(platform.alice.origin, KEYS.alice);
});
afterAll(async () => {
  await client.checked();
  await platform.stop();
  await provider.close();
});

const ask = (input: string) => client.responses.create({ model: "chat_basic", input });

test("reasoning is a summary, of the whole response and in its stream", async () => {
  const whole = await ask("stop Fine");
  const reasoning = { type: "reasoning", summary: [{ type: "summary_text", text: "Let me think." }] };
  expect(whole.output).toMatchObject([reasoning, { type: "message", content: [{ text: "Fine" }] }]);
  const stream = client.responses.stream({ model: "chat_basic", input: "stop Fine" });
  const deltas: string[] = [];
  stream.on("event", (event) => {
    if (event.type === "response.reasoning_summary_text.delta") deltas.push(event.delta);
  });
  expect((await stream.finalResponse()).output).toMatchObject([reasoning, { type: "message" }]);
  expect(deltas.join("")).toBe("Let me think.");
});

test.each([
  ["length", "max_output_tokens"],
  ["content_filter", "content_filter"],
])("an answer that ended with %s is incomplete", async (reason, shown) => {
  const response = await ask(`${reason} Fi`);
  expect([response.status, response.incomplete_details, response.output_text]).toEqual([
    ...["incomplete", { reason: shown }, "Fi"],
  ]);
});

test("a model that thinks until its limit gives an answer without a text, by either API", async () => {
  const response = await ask("length");
  expect([response.status, response.incomplete_details, response.output_text]).toEqual([
    ...["incomplete", { reason: "max_output_tokens" }, ""],
  ]);
  const messages = [{ role: "user" as const, content: "length" }];
  const completion = await client.chat.completions.create({ model: "chat_basic", messages });
  expect(completion.choices).toMatchObject([{ message: { content: "" }, finish_reason: "length" }]);
});

test("a filter that leaves no answer is an error of its class, and its response has failed", async () => {
  const error: Json = await ask("content_filter").catch((thrown) => thrown);
  expect(error).toBeInstanceOf(UnprocessableEntityError);
  expect(error.code).toBe("content_filter");
  const response = await client.responses.retrieve(`resp_${error.error.job_id}`);
  expect([response.status, response.error?.code]).toEqual(["failed", "model_content_filtered"]);
});
