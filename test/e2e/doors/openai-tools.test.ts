/** The official client of OpenAI: answers of a form, and tools that it runs itself. */
import { randomUUID } from "node:crypto";
import { BadRequestError } from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { Json } from "../../support/api-client.ts";
import { createOpenAiClient } from "../../support/openai-client.ts";
import { FIXTURE_AGENTS, KEYS, startTestPlatform, type TestPlatform } from "../../support/platform.ts";

let platform: TestPlatform;
let client: ReturnType<typeof createOpenAiClient>;
beforeAll(async () => {
  platform = await startTestPlatform({ env: FIXTURE_AGENTS });
  client = createOpenAiClient(platform.alice.origin, KEYS.alice);
});
afterAll(async () => {
  await client.checked();
  await platform.stop();
});

const asked = (content: string, more: object = {}) => ({
  model: "chat_basic",
  messages: [{ role: "user" as const, content }],
  ...more,
});
const textDirective = (text: string) => `[[text=${encodeURIComponent(text)}]]`;
const CALLS = 'get_weather({"city":"Paris"});get_weather({"city":"Rome"})|get_weather({"city":"Oslo"})';
const callDirective = (calls: string) => `[[calls=${calls}]]`;

const City = z.object({ city: z.string(), degrees: z.number() });
const PARIS = { city: "Paris", degrees: 21.5 };

describe("answers of a form", () => {
  const response_format = zodResponseFormat(City, "city");

  test.each([JSON.stringify(PARIS), `\`\`\`json\n${JSON.stringify(PARIS)}\n\`\`\``])("%j is parsed", async (said) => {
    const whole = await client.chat.completions.parse(asked(textDirective(said), { response_format }));
    expect(whole.choices[0]?.message.parsed).toEqual(PARIS);
    const streamed = client.chat.completions.stream(asked(textDirective(said), { response_format }));
    expect((await streamed.finalChatCompletion()).choices[0]?.message.parsed).toEqual(PARIS);
  });

  test("an object without a schema is JSON", async () => {
    const answer = await client.chat.completions.create(
      asked(textDirective('{"any": [1]}'), { response_format: { type: "json_object" } }),
    );
    expect(JSON.parse(answer.choices[0]?.message.content ?? "")).toEqual({ any: [1] });
  });
});

describe("tools of the client", () => {
  const made: Json[] = [];
  const getWeather = {
    type: "function" as const,
    function: {
      name: "get_weather",
      description: "The weather in a city.",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      parse: JSON.parse,
      function: ({ city }: Json) => {
        made.push(city);
        return `${city}: sun`;
      },
    },
  };
  const { parse: _, function: __, ...plain } = getWeather.function;
  const plainTools = [{ type: "function" as const, function: plain }];
  const question = `${callDirective(CALLS)} Weather?`;

  test.each([true, false])("the tool runner makes the calls and gets the answer (stream: %s)", async (stream) => {
    made.length = 0;
    const request = { ...asked(question), tools: [getWeather], stream };
    const runner = client.chat.completions.runTools(request as never) as unknown as {
      finalContent(): Promise<string>;
      messages: readonly Json[];
    };
    const answer = await runner.finalContent();
    expect(made).toEqual(["Paris", "Rome", "Oslo"]);
    expect(answer).toContain("Oslo: sun");
    expect(runner.messages.map(({ role }) => role)).toEqual([
      ...["user", "assistant", "tool", "tool", "assistant", "tool", "assistant"],
    ]);
  });

  test("a job that ends with calls says so, natively and through the door", async () => {
    const tools = plainTools;
    const whole = await client.chat.completions.create(asked(question, { tools }));
    const streamed = await client.chat.completions.stream(asked(question, { tools })).finalChatCompletion();
    for (const { id, choices } of [whole, streamed]) {
      const { result } = await platform.alice.job(id);
      expect(choices[0]?.finish_reason).toBe("tool_calls");
      expect(choices[0]?.message.tool_calls).toMatchObject(
        result.tool_calls.map((call: Json) => ({
          id: call.call_id,
          type: "function",
          function: { name: "get_weather", arguments: call.arguments },
        })),
      );
      expect(result.tool_calls).toHaveLength(2);
    }
    expect(whole.choices[0]?.message.content).toBeNull();
  });

  test.each(["behind what it has already", "alone"])(
    "a named session takes the results of its calls %s",
    async (how) => {
      const more = { tools: plainTools, metadata: { session_id: randomUUID() } };
      const one = `${callDirective('get_weather({"city":"Lima"})')} In a session?`;
      const first = await client.chat.completions.create(asked(one, more));
      const message = first.choices[0]?.message;
      const [call] = message?.tool_calls ?? [];
      const result = (tool_call_id = "") => ({ role: "tool" as const, tool_call_id, content: "Lima: fog" });
      const past = how === "alone" || message === undefined ? [] : [...asked(one).messages, message];
      const answer = (id?: string) =>
        client.chat.completions.create({ ...asked(one, more), messages: [...past, result(id)] });
      const refused = await answer("no_such_call").catch((error) => error);
      expect(refused).toMatchObject({ code: "tool_call_not_found", param: `messages.${past.length}.tool_call_id` });
      const second = await answer(call?.id);
      expect(second.choices[0]?.message.content).toContain("Lima: fog");
      const job = await platform.alice.job(second.id);
      const roles = (await platform.alice.history(job.session_id)).map(({ role }) => role);
      expect(roles.filter((role) => role === "user")).toHaveLength(1);
    },
  );

  test("a choice of tools is the model's, and one that there is not is refused", async () => {
    const choose = (tool_choice: Json) =>
      client.chat.completions.create(asked(question, { tools: plainTools, tool_choice }));
    const called = async (tool_choice: Json) => (await choose(tool_choice)).choices[0]?.message.tool_calls?.length ?? 0;
    expect(await called("none")).toBe(0);
    expect(await called("required")).toBe(2);
    expect(await called({ type: "function", function: { name: "get_weather" } })).toBe(2);
    const refused = await choose({ type: "function", function: { name: "other" } }).catch((error) => error);
    expect(refused).toBeInstanceOf(BadRequestError);
  });

  test("an agent that takes no tools of the client says so", async () => {
    const request = { ...asked(question, { tools: plainTools }), model: "throwing" };
    const refused = await client.chat.completions.create(request).catch((error) => error);
    expect(refused).toBeInstanceOf(BadRequestError);
    expect(refused).toMatchObject({ code: "client_tools_unsupported", param: "tools" });
  });
});
