/** Programs as MCP servers whose messages are not quite those of the protocol. */
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { describe, expect, test } from "vitest";
import { createToolbox } from "../../packages/agents/src/registry/toolbox.ts";
import { call, start, startListed, toolOf } from "../support/mcp-tools.ts";
import { answerWith, INITIALIZED, rawAnswers, rawHttpServer, rawServer, usualAnswer } from "../support/raw-mcp.ts";
import { waitFor } from "../support/wait-for.ts";

const object = { type: "object" };
const T = [{ name: "t", inputSchema: object }];
const names = (list: readonly { name: string }[]) => list.map(({ name }) => name);

test.each<[what: string, answers: Record<string, string | string[]>]>([
  ["nextCursor: null", { "tools/list": answerWith({ tools: T, nextCursor: null }) }],
  ["an empty cursor", { "tools/list": answerWith({ tools: T, nextCursor: "" }) }],
  [
    "a null error beside each result",
    { "tools/list": `{"jsonrpc":"2.0","id":$id,"result":{"tools":${JSON.stringify(T)}},"error":null}` },
  ],
  ["its ids as texts", { "tools/list": `{"jsonrpc":"2.0","id":"$id","result":{"tools":${JSON.stringify(T)}}}` }],
  [
    "its answers in batches",
    { "tools/list": `[{"jsonrpc":"2.0","method":"notifications/x"},${answerWith({ tools: T })}]` },
  ],
  ["no capabilities", { initialize: answerWith({ ...INITIALIZED, capabilities: {} }) }],
  [
    "null capabilities, and no name of its own",
    { initialize: answerWith({ protocolVersion: "2025-03-26", capabilities: null }) },
  ],
  ["the first version of the protocol", { initialize: answerWith({ ...INITIALIZED, protocolVersion: "2024-10-07" }) }],
  ["its tools by name", { "tools/list": answerWith({ tools: { t: { inputSchema: object } } }) }],
  ["words on standard output before its messages", { says: 'Server v1\n\n{"level":"info"}\n[]\n7\nhalf a line\n' }],
  ["a carriage return after each message", { "tools/list": `${answerWith({ tools: T })}\r` }],
  [
    "a tool with null for each optional field",
    {
      "tools/list": answerWith({
        tools: [
          {
            ...T[0],
            title: null,
            description: null,
            annotations: null,
            outputSchema: null,
            execution: null,
            icons: null,
            _meta: null,
          },
        ],
        _meta: null,
      }),
    },
  ],
])("the tools of a server with %s are offered and called", async (_, answers) => {
  const { tools } = await startListed(rawServer({ ...rawAnswers(T), ...answers }));
  expect(names(tools.list())).toEqual(["s__t"]);
  expect(await call(tools, "t")).toBe("done");
});

const LARGE = '{"id":12345678901234567890}';
const largeArguments = () => parseJson(LARGE) as object;

test("a program gets integers beyond 2^53 as they came", async () => {
  const echo = '{"content":[{"type":"text","text":$line}]}';
  const { tools } = await startListed(rawServer({ ...rawAnswers(T), "tools/call": answerWith(echo) }));
  expect(await call(tools, "t", largeArguments())).toContain(`"arguments":${LARGE}`);
});

test("a server at a URL gets integers beyond 2^53 as they came", async () => {
  const bodies: string[] = [];
  const { url } = await rawHttpServer((message, response, _request, body) => {
    bodies.push(body);
    if (message === null) return void response.writeHead(405).end();
    const answer = usualAnswer(message);
    if (answer === null) response.writeHead(202).end();
    else response.writeHead(200, { "Content-Type": "application/json" }).end(answer);
  });
  const { tools } = await startListed({ url });
  expect(await call(tools, "t", largeArguments())).toBe("done");
  expect(bodies.at(-1)).toContain(`"arguments":${LARGE}`);
});

/** What a server says with large numbers, in each part of an answer that the model reads. */
const LARGE_CONTENT = '[{"type":"text","text":"t"},{"type":"odd","n":-9007199254740993}]';
const LARGE_RESULT = `{"content":${LARGE_CONTENT},"structuredContent":${LARGE}}`;
const LARGE_ERROR = `{"jsonrpc":"2.0","id":$id,"error":{"code":-32000,"message":"no","data":${LARGE}}}`;
/** Also the bounds of a Java or Go integer in a schema. */
const LARGE_TOOL = '{"name":"t","inputSchema":{"type":"object","properties":{"a":{"maximum":9223372036854775807}}}}';
const largeAnswers = (answer: string) => ({
  ...rawAnswers([]),
  "tools/list": answerWith(`{"tools":[${LARGE_TOOL}]}`),
  "tools/call": answer,
});

/** A server at a URL with these answers, as JSON or as events. */
async function rawServerAtUrl(answers: Record<string, string>, asEvents: boolean) {
  return rawHttpServer((message, response) => {
    if (message === null) return void response.writeHead(405).end();
    const { id, method = "" } = message;
    if (id === undefined) return void response.writeHead(202).end();
    const answer = (answers[method] ?? answerWith({})).replaceAll("$id", String(id));
    response.writeHead(200, { "Content-Type": asEvents ? "text/event-stream" : "application/json" });
    response.end(asEvents ? `data: ${answer}\n\n` : answer);
  });
}

describe.each(["a program", "a server at a URL", "a server at a URL with events"])("%s", (kind) => {
  const serve = async (answers: Record<string, string>) =>
    kind === "a program" ? rawServer(answers) : rawServerAtUrl(answers, kind.endsWith("events"));

  test("a result and a schema with integers beyond 2^53 are read as they came", async () => {
    const { tools } = await startListed(await serve(largeAnswers(answerWith(LARGE_RESULT))));
    expect(JSON.stringify(toolOf(tools, "t").parameters)).toContain('"maximum":9223372036854775807}');
    const text = await call(tools, "t");
    expect(text).toContain(`[the structured result] ${LARGE}`);
    expect(text).toContain('"n":-9007199254740993');
  });

  test("a structured result alone keeps its large integer", async () => {
    const { tools } = await startListed(await serve(largeAnswers(answerWith(`{"structuredContent":${LARGE}}`))));
    expect(JSON.stringify(await call(tools, "t"))).toBe(LARGE);
  });

  test("a large integer given both as text and as a structured result is said once", async () => {
    const both = `{"content":[{"type":"text","text":${JSON.stringify(LARGE)}}],"structuredContent":${LARGE}}`;
    const { tools } = await startListed(await serve(largeAnswers(answerWith(both))));
    expect(await call(tools, "t")).toBe(LARGE);
  });

  test("an error with a large integer in its data is quoted with it", async () => {
    const { tools } = await startListed(await serve(largeAnswers(LARGE_ERROR)));
    await expect(call(tools, "t")).rejects.toThrow("12345678901234567890");
  });

  test.each<[what: string, number: string]>([
    ["beyond the range of doubles", "1e999"],
    ["below it", "-1e999"],
    ["of 1,200 digits", "9".repeat(1_200)],
  ])("a result with a number %s is read, and the number is a text", async (_, number) => {
    const answer = answerWith(`{"structuredContent":{"a":${number},"b":1}}`);
    const { tools } = await startListed(await serve(largeAnswers(answer)));
    expect(JSON.stringify(await call(tools, "t"))).toBe(`{"a":"${number}","b":1}`);
  });
});

test("tools that cannot be offered are left out by name with the reason, and the others are offered", async () => {
  const broken = [
    null,
    { inputSchema: object },
    { name: "nowhere", inputSchema: { ...object, properties: { a: { $ref: "#/$defs/none" } } } },
    { name: "odd-type", inputSchema: { ...object, properties: { a: { type: "text" } } } },
    { name: "t", inputSchema: object },
  ];
  const fine = [
    {
      name: "ahead",
      inputSchema: { ...object, properties: { a: { type: "string", pattern: "^(?!b)" } }, required: ["a"] },
    },
    { name: "draft-7", inputSchema: { $schema: "http://json-schema.org/draft-07/schema#", ...object } },
  ];
  const { tools, log } = await startListed(rawServer(rawAnswers([...T, ...broken, ...fine])));
  expect(names(tools.list())).toEqual(["s__t", "s__ahead", "s__draft-7"]);
  const warning = log.find(({ text }) => text.includes("some cannot be offered"));
  expect(warning?.fields).toMatchObject({
    mcp_server: "s",
    tools: 3,
    left_out: [
      "#2: it is no object",
      "#3: it has no name",
      expect.stringMatching(/^nowhere: its inputSchema is invalid: .*none/),
      expect.stringMatching(/^odd-type: its inputSchema is invalid/),
      "t: its name is listed twice",
    ],
  });
  const unavailable = tools.unavailable();
  expect(unavailable.map(({ name }) => name)).toEqual(["s__#2", "s__#3", "s__nowhere", "s__odd-type", "s__t"]);
  expect(unavailable[0]?.reason).toBe("it is no object");
  const { select } = createToolbox(tools);
  expect(() => select(["s__nowhere"])).toThrow(
    /no tool "s__nowhere"\. "s__nowhere" cannot be offered: its inputSchema/,
  );
  expect(() => select(["s__odd*"])).toThrow(/begins like "s__odd\*"\. "s__odd-type" cannot be offered/);
  expect(() => select(["s__none"])).toThrow(/no tool "s__none"\.$/);
  // What the platform's patterns cannot say is left to the server; the rest is checked.
  expect(await call(tools, "ahead", { a: "x" })).toBe("done");
  await expect(toolOf(tools, "ahead").parse({ a: 1 })).rejects.toThrow(/\ba must be string$/);
});

test.each<[what: string, pages: string[], said: RegExp]>([
  [
    "goes round in circles",
    [answerWith({ tools: T, nextCursor: "a" }), answerWith({ tools: [], nextCursor: "a" })],
    /no end/,
  ],
  [
    "breaks off after a page",
    [answerWith({ tools: T, nextCursor: 2 }), '{"jsonrpc":"2.0","id":$id,"error":{"code":-32000,"message":"gone"}}'],
    /gone/,
  ],
  [
    "has a page that is none",
    [answerWith({ tools: T, nextCursor: "2" }), answerWith({ tools: null, nextCursor: {} })],
    /^$/,
  ],
])("a list of tools that %s is cut there", async (_, pages, said) => {
  const { tools, log } = await startListed(rawServer({ ...rawAnswers(T), "tools/list": pages }));
  expect(names(tools.list())).toEqual(["s__t"]);
  const reasons = log.flatMap(({ fields }) => fields.left_out ?? []).join();
  expect(reasons).toMatch(said);
  const unavailable = tools.unavailable();
  expect(unavailable.map(({ reason }) => reason).join()).toMatch(said);
  if (unavailable.length === 0) return;
  expect(unavailable).toMatchObject([{ name: "s__*" }]);
  expect(() => createToolbox(tools).select(["s__late"])).toThrow(said);
});

test("a server without tools is one, whatever it answers when it is asked for them", async () => {
  const answers = { initialize: answerWith({ ...INITIALIZED, capabilities: {} }) };
  const unknown = '{"jsonrpc":"2.0","id":$id,"error":{"code":-32601,"message":"Method not found"}}';
  const { tools } = start(
    { unknown: rawServer({ ...answers, "tools/list": unknown }), silent: rawServer(answers) },
    { pingMs: 300 },
  );
  await waitFor("both lists", () => !tools.expects("unknown__x") && !tools.expects("silent__x"));
  expect(tools.list()).toEqual([]);
});

test.each<[error: object | string, said: RegExp]>([
  [
    { code: -32602, message: "Invalid params", data: { field: "path", problem: 'must be "absolute"' } },
    /"Invalid params" \(error -32602\), with the data "\{\\"field\\":\\"path\\",.*absolute.*\}"$/,
  ],
  [{ code: -32000, message: "rate limited" }, /^The tool failed: .*"rate limited" \(error -32000\)$/],
  [
    { code: -32001, message: "timed out upstream", data: null },
    /^The tool failed: .*"timed out upstream" \(error -32001\)$/,
  ],
  [{ code: 7, message: "no: why", data: "why" }, /with the data "\\"why\\""$/],
  [{ code: 7, message: "long", data: "x".repeat(5_000) }, /x \(cut\)$|x" \(cut\)$/],
  ["just words", /"just words"/],
  [
    { code: -32042, message: "Authorize", data: { elicitations: [{ url: "https://a.example/x" }] } },
    /cannot ask a person.*a\.example/,
  ],
])("an error of a server reaches the model with its data (case %#)", async (error, said) => {
  const refusal = `{"jsonrpc":"2.0","id":$id,"error":${JSON.stringify(error)}}`;
  const { tools } = await startListed(rawServer({ ...rawAnswers(T), "tools/call": refusal }));
  const message = await call(tools, "t").catch((failure: Error) => failure.message);
  expect(message).toMatch(said);
  expect(String(message).length).toBeLessThan(1_000);
});

test("a server that asks for a person, the model or folders is told that it gets none, and goes on", async () => {
  const asks = ["elicitation/create", "sampling/createMessage", "roots/list", "other/method"].map(
    (method, index) => `{"jsonrpc":"2.0","id":"ask${index}","method":"${method}","params":{"message":"?"}}`,
  );
  const pings = '{"jsonrpc":"2.0","id":"ask9","method":"ping","params":null}';
  const answers = { ...rawAnswers(T), "tools/call": [...asks, pings, answerWith({ content: "done" })].join("\n") };
  const { tools, log } = await startListed(rawServer(answers));
  expect(await call(tools, "t")).toBe("done");
  const answered = () => log.map(({ fields }) => String(fields.note)).filter((note) => note.startsWith("answered: "));
  await waitFor("the answers", () => answered().length === 5);
  const refusals = answered().map((note) => JSON.parse(note.slice("answered: ".length)));
  expect(refusals).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        id: "ask0",
        error: { code: -32601, message: expect.stringContaining("the platform cannot ask a person yet") },
      }),
      expect.objectContaining({ id: "ask1", error: { code: -32601, message: expect.stringContaining("sampling") } }),
      expect.objectContaining({ id: "ask2", error: { code: -32601, message: expect.stringContaining("roots") } }),
      expect.objectContaining({ id: "ask3", error: { code: -32601, message: expect.any(String) } }),
      { jsonrpc: "2.0", id: "ask9", result: {} },
    ]),
  );
  expect(log.some(({ fields }) => String(fields.note).includes("it asked for elicitation/create"))).toBe(true);
});

test("a structured result is checked against the tool's output schema", async () => {
  const tool = { ...T[0], outputSchema: { ...object, properties: { n: { type: "number" } }, required: ["n"] } };
  const { tools } = await startListed(rawServer(rawAnswers([tool], { content: [], structuredContent: { n: "1" } })));
  expect(await call(tools, "t")).toMatch(/^\{"n":"1"\}\n\[.*does not fit.*: n must be number\]$/);
});
