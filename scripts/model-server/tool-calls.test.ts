/** Tool calls: scripted sequences, their format on the wire, and requests in which the model may not call. */
import type { ChatCompletionMessageParam, ChatCompletionTool } from "openai/resources";
import { beforeAll, describe, expect, test } from "vitest";
import { callsOf, startTestModel, type TestModel } from "./test-model.ts";

let model: TestModel;
beforeAll(async () => {
  model = await startTestModel();
  return () => model.server.stop();
});

const tools: ChatCompletionTool[] = ["calculator", "current_time", "search_documents"].map((name) => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: {} } },
}));

const THREE_TURNS =
  '[[calls=calculator({"expression":"1 + 1"});current_time({})|search_documents({"query":"[a) b"})]] go';

/** Runs the tool loop of an agent: answers every call with `results[name]` until the model answers with text. */
async function runAgent(question: string, results: Record<string, string>) {
  const messages: ChatCompletionMessageParam[] = [{ role: "user", content: question }];
  const turns: string[][] = [];
  for (;;) {
    const stream = model.openai.chat.completions.stream({ model: "local", messages, tools });
    const message = (await stream.finalChatCompletion()).choices[0]?.message;
    if (!message?.tool_calls) return { turns, text: message?.content, messages };
    messages.push(message);
    turns.push(callsOf(message).map(({ name, json }) => `${name}(${json})`));
    for (const { id, name } of callsOf(message)) {
      messages.push({ role: "tool", tool_call_id: id, content: results[name] ?? "" });
    }
  }
}

describe("sequences of tool calls", () => {
  test("a sequence of tool calls ends with a text that quotes the results", async () => {
    const { turns, text } = await runAgent(THREE_TURNS, {
      calculator: "2",
      current_time: "noon",
      search_documents: "none",
    });
    expect(turns).toEqual([
      ['calculator({"expression":"1 + 1"})', "current_time({})"],
      ['search_documents({"query":"[a) b"})'],
    ]);
    expect(text).toBe(
      'This is the local model. The tools returned: calculator → "2"; current_time → "noon"; search_documents → "none"',
    );
  });

  test("the text after tool calls is the scripted one, or in the language of the question", async () => {
    expect((await runAgent("[[calls=calculator({}) text=It%20is%202.]]", {})).text).toBe("It is 2.");
    expect((await runAgent("算一下 [[calls=calculator({})]]", { calculator: "2" })).text).toBe(
      "这是本地模型的回答。工具返回：calculator → “2”",
    );
  });

  test("a retried request gets the same call ids, and no two calls share an id", async () => {
    const ids = ({ messages }: { messages: ChatCompletionMessageParam[] }) =>
      messages.flatMap((message) => (message.role === "tool" ? [message.tool_call_id] : []));
    const first = ids(await runAgent(THREE_TURNS, {}));
    expect(ids(await runAgent(THREE_TURNS, {}))).toEqual(first);
    expect(new Set(first).size).toBe(3);
  });

  test("the next user message starts a new sequence", async () => {
    const { messages } = await runAgent("[[calls=calculator({})]]", { calculator: "2" });
    messages.push({ role: "assistant", content: "2" }, { role: "user", content: "and now?" });
    const completion = await model.openai.chat.completions.create({ model: "local", messages, tools });
    expect(completion.choices[0]?.message.content).toBe('This is the local model. You said: "and now?"');
  });
});

describe("format on the wire", () => {
  const ask = {
    model: "local",
    tools,
    messages: [{ role: "user" as const, content: '[[calls=calculator({"a":"b c"})]]' }],
  };

  test("a streamed call has its name first and its arguments in several parts", async () => {
    const deltas = [];
    let reason: string | null | undefined;
    for await (const chunk of await model.openai.chat.completions.create({ ...ask, stream: true })) {
      deltas.push(...(chunk.choices[0]?.delta.tool_calls ?? []));
      reason = chunk.choices[0]?.finish_reason ?? reason;
    }
    expect(deltas[0]).toMatchObject({ index: 0, type: "function", function: { name: "calculator", arguments: "" } });
    expect(deltas.length).toBeGreaterThan(3);
    expect(deltas.map((delta) => delta.function?.arguments).join("")).toBe('{"a":"b c"}');
    expect(reason).toBe("tool_calls");
  });

  test("a whole answer with a call has null content and the same call id as a stream", async () => {
    const streamed = await model.openai.chat.completions.stream(ask).finalChatCompletion();
    const whole = await model.openai.chat.completions.create(ask);
    expect(whole.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { content: null, tool_calls: [{ function: { name: "calculator", arguments: '{"a":"b c"}' } }] },
    });
    expect(whole.choices[0]?.message.tool_calls?.[0]?.id).toBe(streamed.choices[0]?.message.tool_calls?.[0]?.id);
  });

  test("max_tokens cuts the arguments of a call", async () => {
    const whole = await model.openai.chat.completions.create({ ...ask, max_tokens: 4 });
    expect(whole.choices[0]).toMatchObject({
      finish_reason: "length",
      message: { tool_calls: [{ function: { arguments: '{"a' } }] },
    });
  });
});

describe("tool choice", () => {
  const messages = [{ role: "user" as const, content: "[[calls=calculator({})]] now" }];
  const echo = 'This is the local model. You said: "now"';

  test("the model makes no call without offered tools or with tool_choice none", async () => {
    const without = await model.openai.chat.completions.create({ model: "local", messages });
    expect(without.choices[0]?.message.content).toBe(echo);
    const none = await model.openai.chat.completions.create({ model: "local", messages, tools, tool_choice: "none" });
    expect(none.choices[0]?.message.content).toBe(echo);
  });

  test("a required tool is called without arguments if no call is scripted", async () => {
    const forced = await model.openai.chat.completions.create({
      model: "local",
      messages: [{ role: "user", content: "hi" }],
      tools,
      tool_choice: { type: "function", function: { name: "current_time" } },
    });
    expect(forced.choices[0]?.message.tool_calls).toMatchObject([
      { function: { name: "current_time", arguments: "{}" } },
    ]);
  });
});
