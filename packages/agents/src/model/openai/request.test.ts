/** What goes back to a provider with a conversation. */
import { expect, test } from "vitest";
import { type Asked, json, says, stream, withProvider } from "../../../../../test/support/scripted-provider.ts";
import { TOOL_LOOP as LOOP } from "../../../../../test/support/tool-loop.ts";
import type { ModelMessage } from "../model.ts";

test("reasoning goes back to nobody who does not want it, and what came with a call goes back unchanged", async () => {
  await withProvider(
    () => says("Yes."),
    async ({ ask, asked }) => {
      await ask({ messages: LOOP });
      expect(JSON.stringify(asked)).not.toMatch(/reasoning|I need/);
      expect(asked[0].messages[3].tool_calls[0].extra_content).toEqual({ google: { thought_signature: "c2ln" } });
    },
  );
});

test.each([
  ["reasoning_content", { content: null, reasoning_content: "I need\n the weather. " }],
  ["reasoning", { content: null, reasoning: "I need\n the weather. " }],
  ["think", { content: "<think>I need\n the weather. </think>" }],
] as const)(
  "reasoning goes back by setting as %s, with the turns that call tools",
  async (returnReasoning, message) => {
    await withProvider(
      () => says("Yes."),
      async ({ ask, asked }) => {
        await ask({ messages: LOOP });
        expect(asked[0].messages[3]).toMatchObject(message);
        expect(asked[0].messages[1]).toEqual({ role: "assistant", content: "Earlier." });
      },
      { form: { returnReasoning } },
    );
  },
);

test("names that no provider takes are mended, also of calls that go back, and mapped back when called", async () => {
  const offered = ["weather.now", "weather_now", "3d", "ok", "長い".repeat(40)];
  const called = (name: string) =>
    stream(
      { choices: [{ delta: { tool_calls: [{ index: 0, id: "1", function: { name, arguments: "{}" } }] } }] },
      { choices: [{ delta: {}, finish_reason: "tool_calls" }] },
    );
  await withProvider(
    ({ tools }, at) => called(tools[at]?.function.name ?? "invented.name"),
    async ({ ask, asked }) => {
      const tools = offered.map((name) => ({ name, description: "", parameters: {} }));
      const messages: ModelMessage[] = [
        { role: "user", content: "Hi" },
        {
          role: "assistant",
          content: "",
          toolCalls: [
            { id: "1", name: "weather.now", arguments: "{" },
            { id: "2", name: "a b", arguments: "" },
          ],
        },
      ];
      for (const name of offered) expect((await ask({ tools, messages })).toolCalls[0]?.name).toBe(name);
      const names: string[] = asked[0].tools.map(({ function: { name } }: Asked) => name);
      expect(new Set(names).size).toBe(offered.length);
      for (const name of names) expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/);
      expect(names.slice(1, 4)).toEqual(["weather_now", "_3d", "ok"]);
      const calls = asked[0].messages[1].tool_calls.map(({ function: { name, arguments: args } }: Asked) => [
        name,
        args,
      ]);
      expect(calls).toEqual([
        [names[0], "{}"],
        ["a_b", "{}"],
      ]);
      expect((await ask({ tools, messages })).toolCalls[0]?.name).toBe("invented.name");
    },
  );
});

test("half characters reach no provider, wherever they stand", async () => {
  const half = "\ud83d";
  await withProvider(
    () => says("Yes."),
    async ({ ask, asked }) => {
      await ask({
        model: `m${half}`,
        messages: [
          { role: "system", content: half },
          { role: "user", content: `${half}😀` },
        ],
        tools: [{ name: "t", description: half, parameters: { properties: { [half]: { description: half } } } }],
        responseSchema: { title: half },
      });
      expect(JSON.stringify(asked[0])).not.toMatch(/\\ud/);
      expect(asked[0].messages[1].content).toBe("\ufffd😀");
      expect(asked[0].tools[0].function.parameters.properties["\ufffd"].description).toBe("\ufffd");
    },
    { responseFormat: "json_schema" },
  );
});

test("a tool that is offered twice goes to the provider once, with a schema that it takes", async () => {
  await withProvider(
    () => says("Yes."),
    async ({ ask, asked }) => {
      const tool = { name: "t", description: "d", parameters: { type: "object", required: null } };
      await ask({ tools: [tool, tool] });
      expect(asked[0].tools).toEqual([
        {
          type: "function",
          function: { name: "t", description: "d", parameters: { type: "object", properties: {} } },
        },
      ]);
    },
  );
});

test("the reasoning of a streamed turn goes back byte for byte, and what came with its calls", async () => {
  const pieces = [" First,\n\n", "the \u4e2d文 ", "  weather. \n"];
  const extra_content = { google: { thought_signature: "c2lnbmF0dXJl/+==" } };
  const call = { index: 0, id: "c1", type: "function", extra_content, function: { name: "t", arguments: "{}" } };
  const thinking = stream(
    ...pieces.map((reasoning_content) => ({ choices: [{ delta: { reasoning_content } }] })),
    { choices: [{ delta: { tool_calls: [call] } }] },
    { choices: [{ delta: {}, finish_reason: "tool_calls" }] },
  );
  await withProvider(
    (_, at) => (at === 0 ? thinking : says("Sunny.")),
    async ({ ask, asked }) => {
      const question = { role: "user", content: "Weather?" } as const;
      const { content, toolCalls, reasoning = "" } = await ask({ messages: [question] });
      const said = { role: "assistant", content, toolCalls, reasoning } as const;
      await ask({ messages: [question, said, { role: "tool", callId: "c1", content: "sunny" }] });
      expect(asked[1].messages[1].reasoning_content).toBe(pieces.join(""));
      expect(asked[1].messages[1].tool_calls[0]).toEqual({
        id: "c1",
        type: "function",
        extra_content,
        function: { name: "t", arguments: "{}" },
      });
    },
    { form: { returnReasoning: "reasoning_content" } },
  );
});

const MARKED = { reasoning_details: [{ type: "reasoning.text", index: 0, text: "So.", signature: "c2ln+/==" }] };

/** A loop whose turn came from another provider or model than it goes to. */
test.each([
  ["another provider", "api.example.com m"],
  ["another model", "127.0.0.1 another"],
])("what came from %s does not go back", async (_, origin) => {
  const loop = LOOP.map((message) =>
    message.role === "assistant" && message.toolCalls !== undefined
      ? { ...message, extra: { origin, fields: MARKED } }
      : message,
  );
  await withProvider(
    () => says("Yes."),
    async ({ ask, asked }) => {
      await ask({ messages: loop });
      expect(JSON.stringify(asked[0])).not.toMatch(/reasoning|extra_content/);
    },
  );
});

test("what a provider marks goes back unless the operator forbids it, beside the text where that is wanted", async () => {
  const loop = LOOP.map((message) =>
    message.role === "assistant" && message.toolCalls !== undefined
      ? { ...message, extra: { origin: "127.0.0.1 m", fields: MARKED } }
      : message,
  );
  const sent = (returnReasoning?: "off" | "reasoning_content" | "reasoning" | "think") =>
    withProvider(
      () => says("Yes."),
      async ({ ask, asked }) => {
        await ask({ messages: loop });
        const { role: _, content: __, tool_calls: ___, ...fields } = asked[0].messages[3];
        return fields;
      },
      returnReasoning === undefined ? {} : { form: { returnReasoning } },
    );
  expect(await sent()).toEqual(MARKED);
  expect(await sent("off")).toEqual({});
  expect(await sent("reasoning_content")).toEqual({ ...MARKED, reasoning_content: "I need\n the weather. " });
  expect(await sent("reasoning")).toEqual(MARKED);
  expect(await sent("think")).toEqual(MARKED);
});

test.each([
  ["required", "required"],
  [{ name: "3d" }, { type: "function", function: { name: "_3d" } }],
] as const)("the choice of a tool goes to the provider under the name that it knows: %j", async (toolChoice, sent) => {
  await withProvider(
    () => says("Yes."),
    async ({ ask, asked }) => {
      const tools = [{ name: "3d", description: "", parameters: {} }];
      await ask({ messages: [{ role: "user", content: "Hi" }], tools, toolChoice });
      await ask({ messages: [{ role: "user", content: "Hi" }], toolChoice });
      expect(asked.map(({ tool_choice }) => tool_choice)).toEqual([sent, undefined]);
    },
  );
});

test("when earlier images are left out, the question's own stay, also behind a correction of its answer", async () => {
  const look = (url: string): ModelMessage => ({
    ...{ role: "user", content: "Look" },
    parts: [
      { type: "text", text: "Look" },
      { type: "image_url", image_url: { url } },
    ],
  });
  const said = { role: "assistant", content: "Seen" } as const;
  const correction = { role: "user", content: "Answer again", isCorrection: true } as const;
  await withProvider(
    (_, at) => (at === 0 ? json(400, { error: { message: "Only one image is supported." } }) : says("Yes.")),
    async ({ ask, asked }) => {
      await ask({ messages: [look("https://a/1.png"), said, look("https://a/2.png"), said, correction] });
      const sent = asked.map(({ messages }) => JSON.stringify(messages).match(/\d\.png/g));
      expect(sent).toEqual([["1.png", "2.png"], ["2.png"]]);
      expect(JSON.stringify(asked)).not.toContain("isCorrection");
    },
  );
});
