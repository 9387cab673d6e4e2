/** Tools, choices and results that are refused, each with its code and the field that is wrong. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { newId } from "../../packages/shared/src/ids.ts";
import { SCREEN } from "../support/client-tools.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const tool = (fields: object) => ({ message: "Hi", tools: [{ ...SCREEN, ...fields }] });
const results = (...tool_results: unknown[]) => ({ session_id: newId(), if_not_exists: "create", tool_results });
const many = (count: number) => Array.from({ length: count }, (_, at) => ({ name: `t${at}` }));
const deep = (levels: number): object => (levels === 0 ? {} : { items: deep(levels - 1) });

test.each<[what: string, body: object, param: string]>([
  ["a name that no provider takes", tool({ name: "read screen" }), "tools.0.name"],
  ["two tools of one name", { message: "Hi", tools: [SCREEN, SCREEN] }, "tools"],
  ["a tool in the form of OpenAI", tool({ type: "function" }), "tools.0.type"],
  ["a schema of no type", tool({ parameters: { type: "banana" } }), "tools.0.parameters.type"],
  ["a schema of no object", tool({ parameters: { type: "string" } }), "tools.0.parameters.type"],
  ["a broken property", tool({ parameters: { properties: { a: 1 } } }), "tools.0.parameters.properties.a"],
  ["a schema that is a text", tool({ parameters: "{}" }), "tools.0.parameters"],
  ["a deep schema", tool({ parameters: deep(70) }), "tools.0.parameters"],
  ["a long schema", tool({ parameters: { description: "x".repeat(50_000) } }), "tools.0.parameters"],
  ["a long description", tool({ description: "x".repeat(4_097) }), "tools.0.description"],
  ["too many tools", { message: "Hi", tools: many(129) }, "tools"],
  ["a choice of no kind", { message: "Hi", tools: [SCREEN], tool_choice: "always" }, "tool_choice"],
  ["a choice of no tool", { message: "Hi", tools: [SCREEN], tool_choice: { name: "fly" } }, "tool_choice.name"],
  ["a choice without tools", { message: "Hi", tool_choice: "required" }, "tool_choice"],
  ["no message and no results", {}, "message"],
  ["an empty message beside results", { ...results({ call_id: "a", content: "" }), message: " " }, "message"],
  ["no results at all", results(), "tool_results"],
  ["a result without a call", results({ content: "" }), "tool_results.0.call_id"],
  [
    "a result of an image",
    results({ call_id: "a", content: [{ type: "image_url" }] }),
    "tool_results.0.content.0.type",
  ],
  ["a long result", results({ call_id: "a", content: "x".repeat(150_001) }), "tool_results.0.content"],
  ["two results of one call", results({ call_id: "a", content: "" }, { call_id: "a", content: "" }), "tool_results"],
  ["results without a session", { tool_results: [{ call_id: "a", content: "" }] }, "session_id"],
])("%s is an invalid request", async (_what, body, param) => {
  const { status, body: answer } = await platform.alice.post("/chat/completions", {
    ...{ agent_type: "chat_basic", stream: false },
    ...body,
  });
  // A choice among the tools that a config selects is the worker's matter, whose errors name no field.
  const isOfWorker = param === "tool_choice" && answer.error?.message?.includes("is offered");
  expect([status, answer.error?.code]).toEqual([400, "invalid_request"]);
  if (!isOfWorker) expect(answer.error.param).toBe(param);
});

test("tools for an agent that takes none, and one with the name of its own, have codes of their own", async () => {
  const ask = async (body: object) => {
    const { status, body: answer } = await platform.alice.post("/chat/completions", { stream: false, ...body });
    return [status, answer.error?.code];
  };
  const orchestrator = { agent_type: "orchestrator", message: "Hi", tools: [SCREEN] };
  expect(await ask(orchestrator)).toEqual([400, "client_tools_unsupported"]);
  const named = (name: string) => ({ agent_type: "tool_basic", message: "Hi", tools: [{ name }] });
  expect(await ask(named("calculator"))).toEqual([400, "tool_name_conflict"]);
  // Of a tool that the request does not select.
  expect((await ask(named("http_fetch")))[0]).toBe(200);
  const { agents } = (await platform.alice.get("/agents")).body;
  const takers = agents.filter(({ client_tools }: { client_tools: boolean }) => client_tools);
  expect(takers.map(({ id }: { id: string }) => id)).toEqual(["chat_basic", "tool_basic"]);
});

test("a result of a call that nobody made is refused, in a session of somebody else as in none", async () => {
  const call = { agent_type: "chat_basic", stream: false, tool_results: [{ call_id: "call_1", content: "Seen" }] };
  const { body } = await platform.alice.chatWhole("Hello");
  const ask = async (client: typeof platform.alice, fields: object) => {
    const { status, body: answer } = await client.post("/chat/completions", { ...call, ...fields });
    return [status, answer.error.code, answer.error.param];
  };
  const notFound = [400, "tool_call_not_found", "tool_results.0.call_id"];
  expect(await ask(platform.alice, { session_id: body.session_id })).toEqual(notFound);
  expect(await ask(platform.alice, { session_id: newId(), if_not_exists: "create" })).toEqual(notFound);
  const { session_id, tool_results } = { ...call, session_id: body.session_id };
  const task = await platform.alice.post("/agents/chat_basic/execute", { session_id, tool_results });
  expect([task.status, task.body.error.code, task.body.error.param]).toEqual(notFound);
  const others = await ask(platform.bob, { session_id: body.session_id });
  expect(others.slice(0, 2)).toEqual([404, "session_not_found"]);
});
