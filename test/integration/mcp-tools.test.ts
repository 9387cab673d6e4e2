/** The tools of the official MCP server, called by `tool_basic` over HTTP; the server is killed, and its worker. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { everythingServer } from "../fixtures/mcp/everything-server.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { findProcess, processTree, stillRunning } from "../support/process-tree.ts";
import { rawAnswers, rawServer } from "../support/raw-mcp.ts";
import { type SseEvent, shownText, thoughtsOf } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
beforeAll(async () => {
  const schema = { type: "object", properties: { a: { $ref: "#/$defs/none" } } };
  const broken = rawServer(rawAnswers([{ name: "lost", inputSchema: schema }]));
  const servers = { everything: everythingServer(), broken };
  platform = await startTestPlatform({ env: { MCP_SERVERS: JSON.stringify(servers) } });
});
afterAll(() => platform.stop());

const listed = () =>
  waitFor("the server's tools", async () => {
    const { body } = await platform.alice.get("/agents/tool_basic");
    const names: string[] = body.tools?.filter((name: string) => name.startsWith("everything__"));
    return names?.length > 0 && names;
  });

const ask = (message: string) =>
  platform.alice.chat({ agent_type: "tool_basic", message, config: { tools: ["everything__*"] } });

const serverOf = (worker: number) =>
  waitFor("the server's process", async () =>
    findProcess(await processTree(platform.workers[worker]?.pid ?? 0), "server-everything"),
  );

test("tools of an MCP server are listed, offered to the model, and called", async () => {
  expect(await listed()).toEqual(expect.arrayContaining(["everything__echo", "everything__get-sum"]));
  const stream = await ask('add up [[calls=everything__echo({"message":"hi"});everything__get-sum({"a":2,"b":40})]]');
  const events = await stream.all();
  expect(thoughtsOf(events, "tool_call").map(({ name, arguments: args }) => [name, args])).toEqual([
    ["everything__echo", { message: "hi" }],
    ["everything__get-sum", { a: 2, b: 40 }],
  ]);
  const results = thoughtsOf(events, "tool_result").map(({ name, status, result }) => [name, status, result]);
  expect(results.sort()).toEqual([
    ["everything__echo", "ok", "Echo: hi"],
    ["everything__get-sum", "ok", "The sum of 2 and 40 is 42."],
  ]);
  expect(shownText(events)).toContain("The sum of 2 and 40 is 42.");
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });

  const [call] = await platform.model.calls({ contains: "add up" });
  expect(JSON.stringify(call)).toContain("everything__get-sum");
});

test("a tool that cannot be offered stands with its reason beside the others, and in the error of who wants it", async () => {
  const unavailable = await waitFor("the tools of the broken server", async () => {
    const { body } = await platform.alice.get("/agents/tool_basic");
    return body.unavailable_tools?.find(({ name }: { name: string }) => name === "broken__lost");
  });
  expect(unavailable.reason).toContain("inputSchema is invalid");
  expect((await platform.alice.get("/agents/chat_basic")).body.unavailable_tools).toEqual([]);
  const stream = await platform.alice.chat({
    ...{ agent_type: "tool_basic", message: "go", config: { tools: ["broken__lost"] } },
  });
  const said = (await stream.all()).find(({ event }) => event === "error")?.data;
  expect(said).toMatchObject({
    code: "invalid_config",
    message: expect.stringContaining("cannot be offered: its inputSchema is invalid"),
  });
});

test("a wrong call of an MCP tool is reported to the model, and the job goes on", async () => {
  const stream = await ask(
    '[[calls=everything__get-sum({"a":"two"})|everything__gzip-file-as-resource({"data":"no-url"})|everything__none()]]',
  );
  const events = await stream.all();
  const results = thoughtsOf(events, "tool_result");
  expect(results.map(({ status }) => status)).toEqual(["error", "error", "error"]);
  expect(events.at(-1)?.data.status).toBe("completed");
});

test("an MCP server killed during a call fails that call only", async () => {
  const long = 'everything__trigger-long-running-operation({"duration":60})';
  const echo = (message: string) => `everything__echo(${JSON.stringify({ message })})`;
  const stream = await ask(`[[calls=${long};${echo("beside")}|${echo("afterwards")}]]`);
  const events: SseEvent[] = [];
  for await (const event of stream.events()) {
    events.push(event);
    // Both calls have been sent by then, and the long one has not ended.
    if (event.data.result === "Echo: beside") process.kill(await serverOf(0), "SIGKILL");
  }
  const results = thoughtsOf(events, "tool_result").map(({ status, result }) => [status, result]);
  expect(results).toEqual([
    ["ok", "Echo: beside"],
    ["error", expect.any(String)],
    ["ok", "Echo: afterwards"],
  ]);
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
});

test("the MCP servers of a worker end with it, also when it is killed", async () => {
  const worker = await platform.startWorker();
  const servers = [await serverOf(0), await serverOf(1)];
  expect(await stillRunning(servers)).toEqual(servers);
  await Promise.all([worker.kill(), platform.workers[0]?.stop(20_000)]);
  await waitFor("the end of the servers", async () => (await stillRunning(servers)).length === 0);
});
