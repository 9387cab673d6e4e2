/** Clients of OpenAI's API beside its own: the AI SDK with its OpenAI provider, and requests that others send. */
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, isStepCount, Output, streamText, tool } from "ai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { RECORDED_REQUESTS } from "../fixtures/openai-clients/recorded-requests.ts";
import { createApiClient } from "../support/api-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

test.each(Object.entries(RECORDED_REQUESTS))("%s", async (_name, { method, path, headers, body }) => {
  const door = createApiClient(platform.alice.origin, KEYS.alice, "/v1");
  const answer = await door.send(method, path, {
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    headers: { ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers },
  });
  expect(answer).toMatchObject({ status: 200 });
  if (typeof answer.body === "string") expect(answer.body).toMatch(/data: \[DONE\]\n\n$|event: response\.completed\n/);
});

describe.each(["responses", "chat"] as const)("the AI SDK by %s", (api) => {
  const model = (id = "chat_basic") => {
    const provider = createOpenAI({ baseURL: `${platform.alice.origin}/v1`, apiKey: KEYS.alice });
    return provider[api](id);
  };
  const jobIdOf = ({ id }: { readonly id: string }) => id.replace("resp_", "");

  test("a streamed text is its job's, with its usage and its end", async () => {
    const streamed = streamText({ model: model(), system: "Be brief.", prompt: "[[tokens=30]]" });
    const pieces = await Array.fromAsync(streamed.textStream);
    const job = await platform.alice.job(jobIdOf(await streamed.response));
    expect(pieces.join("")).toBe(job.result.content);
    expect(pieces.length).toBeGreaterThan(10);
    expect((await streamed.usage).outputTokens).toBe(job.usage.output_tokens);
    expect(await streamed.finishReason).toBe("stop");
  });

  test("the client makes its calls, and each step goes on from the one before", async () => {
    const asked: string[] = [];
    const weather = tool({
      description: "The weather in a city.",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => {
        asked.push(city);
        return `${city}: sun`;
      },
    });
    const prompt = '[[calls=weather({"city":"Paris"});weather({"city":"Rome"})|weather({"city":"Oslo"})]] Weather?';
    const settings = { model: model(), prompt, tools: { weather }, stopWhen: isStepCount(5) };
    const whole = await generateText(settings);
    expect(whole.steps).toHaveLength(3);
    expect(whole.text).toContain("Oslo: sun");
    const streamed = streamText(settings);
    expect(await streamed.text).toContain("Oslo: sun");
    expect(asked).toEqual(["Paris", "Rome", "Oslo", "Paris", "Rome", "Oslo"]);
  });

  test("an answer of a form is read", async () => {
    const answer = { city: "Bern", people: 1 };
    const { output } = await generateText({
      model: model(),
      prompt: `[[text=${encodeURIComponent(JSON.stringify(answer))}]]`,
      output: Output.object({ schema: z.object({ city: z.string(), people: z.number() }) }),
    });
    expect(output).toEqual(answer);
  });

  test("an answer that is cut says so, and an error has its status", async () => {
    const cut = await generateText({ model: model(), prompt: "[[tokens=50]]", maxOutputTokens: 5 });
    expect([cut.finishReason, cut.text === ""]).toEqual(["length", false]);
    const failed = await generateText({ model: model("nobody"), prompt: "Hi" }).catch((error) => error);
    expect(failed).toMatchObject({ statusCode: 404, isRetryable: false });
  });
});
