/** MCP servers at a URL that keep to the protocol of HTTP in their own way. */
import type { ServerResponse } from "node:http";
import { SECOND } from "@agent-paas/shared/time.ts";
import { expect, test } from "vitest";
import { createSseOnlyServer } from "../fixtures/mcp/sse-only-server.ts";
import { call, start, startListed, toolOf } from "../support/mcp-tools.ts";
import { type RawHandler, rawHttpServer, usualAnswer } from "../support/raw-mcp.ts";
import { contextWith } from "../support/tool-context.ts";
import { settledWithin, waitFor } from "../support/wait-for.ts";

const JSON_TYPE = { "Content-Type": "application/json" };
const EVENTS = { "Content-Type": "text/event-stream" };

/** Answers as usual in JSON, but for what `own` answers, which then returns true. */
const usually =
  (own: (...args: Parameters<RawHandler>) => boolean): RawHandler =>
  (message, response, request, body) => {
    if (own(message, response, request, body)) return;
    if (message === null) return void response.writeHead(405).end();
    const answer = usualAnswer(message);
    if (answer === null) response.writeHead(202).end();
    else response.writeHead(200, JSON_TYPE).end(answer);
  };

/** The answer with a null wherever servers are known to write one. */
const withNulls = (answer: string): string => {
  const { jsonrpc, id, result } = JSON.parse(answer);
  const tools = result.tools && { tools: [{ ...result.tools[0], description: null, annotations: null }] };
  return JSON.stringify({ jsonrpc, id, error: null, result: { ...result, ...tools, nextCursor: null, _meta: null } });
};

test.each<[what: string, headers: Record<string, string>, write: (answer: string) => string]>([
  ["answers with nulls", JSON_TYPE, withNulls],
  ["answers in a batch", { "Content-Type": "application/json; charset=utf-8" }, (answer) => `[${answer}]`],
  ["answers without a type", {}, withNulls],
  ["answers as plain text", { "Content-Type": "text/plain" }, (answer) => answer],
  ["answers without an id", JSON_TYPE, (answer) => answer.replace(/"id":\d+/, '"id":null')],
  [
    "answers in events with nulls",
    EVENTS,
    (answer) => `: hello\n\nevent: message\nid: 1\ndata: ${withNulls(answer)}\n\n`,
  ],
  ["answers in events of several lines", EVENTS, (answer) => `data: ${answer.replace(",", ",\ndata: ")}\n\n`],
  ["answers in an event that is a batch", EVENTS, (answer) => `data: [${answer}]\n\n`],
])("the tools of a server that %s are offered and called", async (_, headers, write) => {
  const server = await rawHttpServer(
    usually((message, response) => {
      const answer = message === null ? null : usualAnswer(message);
      if (answer === null) return false;
      response.writeHead(200, headers).end(write(answer));
      return true;
    }),
  );
  const { tools } = await startListed(server);
  expect(await call(tools, "t")).toBe("done");
});

test.each<[what: string, answer: (response: ServerResponse) => void]>([
  ["405", (response) => response.writeHead(405).end()],
  ["404", (response) => response.writeHead(404).end("no")],
  ["a page", (response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<html>")],
])("a server that answers a GET with %s has no stream, and is not asked again and again", async (_, answer) => {
  let gets = 0;
  const server = await rawHttpServer(
    usually((_message, response, request) => {
      if (request.method !== "GET") return false;
      gets++;
      answer(response);
      return true;
    }),
  );
  const { tools } = await startListed(server);
  await waitFor("the GET", () => gets > 0);
  for (let times = 0; times < 50; times++) await call(tools, "t");
  expect(gets).toBe(1);
});

test.each([401, 403])(
  "a server that refuses access with %d is away, and the log says what is missing",
  async (status) => {
    const server = await rawHttpServer(
      (_, response) => void response.writeHead(status).end('{"error":"invalid_token"}'),
    );
    const { log } = start({ s: server });
    await waitFor("the refusal", () => log.some(({ fields }) => String(fields.reason).startsWith(`HTTP ${status}: `)));
    expect(JSON.stringify(log)).toMatch(/`headers` in MCP_SERVERS \(OAuth is not supported\)/);
  },
);

test.each<[what: string, end: (response: ServerResponse) => void, said: RegExp]>([
  ["ends", (response) => response.end(), /answer ended before the result/],
  ["breaks", (response) => response.destroy(), /broke off \(.*\) before the result/],
])("a call whose answer %s without a result fails at once", async (_, end, said) => {
  const server = await rawHttpServer(
    usually((message, response) => {
      if (message?.method !== "tools/call") return false;
      response.writeHead(200, EVENTS);
      response.write(": working\n\n", () => end(response));
      return true;
    }),
  );
  const { tools } = await startListed(server);
  await settledWithin("the failure", 5 * SECOND, expect(call(tools, "t")).rejects.toThrow(said));
});

test("a session that a restarted server refuses with 400 is replaced", async () => {
  let sessions = 0;
  const server = await rawHttpServer(
    usually((message, response, request) => {
      if (message?.method === "initialize") {
        response.writeHead(200, { ...JSON_TYPE, "Mcp-Session-Id": String(++sessions) }).end(usualAnswer(message));
        return true;
      }
      if (request.headers["mcp-session-id"] === String(sessions) || request.method === "DELETE") return false;
      response.writeHead(400).end('{"jsonrpc":"2.0","error":{"code":-32000,"message":"No valid session"},"id":null}');
      return true;
    }),
  );
  const { tools } = await startListed(server);
  sessions++;
  expect(await call(tools, "t")).toBe("done");
  expect(sessions).toBe(3);
});

test("progress that a server reports reaches the call's clock", async () => {
  const held: ServerResponse[] = [];
  const server = await rawHttpServer(
    usually((message, response) => {
      if (message?.method !== "tools/call") return false;
      response.writeHead(200, EVENTS);
      const { _meta } = message.params as { _meta?: { progressToken?: number } };
      const params = { progressToken: _meta?.progressToken, progress: "1", total: null, message: null };
      response.write(`data: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params })}\n\n`);
      response.write(": wait\n\n", () => held.push(response));
      setAnswer(() => response.end(`data: ${usualAnswer(message)}\n\n`));
      return true;
    }),
  );
  let answer = () => {};
  const setAnswer = (next: () => void) => {
    answer = next;
  };
  const { tools } = await startListed(server);
  let reports = 0;
  const context = contextWith({ stillWorking: () => reports++ });
  const result = toolOf(tools, "t").call({}, context);
  await waitFor("the progress", () => reports === 1);
  answer();
  expect(await result).toBe("done");
});

test("a server that knows only HTTP with SSE is spoken to, and replaced when its stream breaks", async () => {
  const older = createSseOnlyServer();
  const server = await rawHttpServer(older.handle);
  const { tools } = await startListed(server);
  expect(await call(tools, "t")).toBe("done");
  expect([older.begun(), older.open()]).toEqual([1, 1]);
  older.breakStreams();
  await waitFor("the next stream", () => older.begun() === 2 && older.open() === 1);
  expect(await call(tools, "t")).toBe("done");
  await tools.close();
  await waitFor("the end of the stream", () => older.open() === 0);
  expect(older.begun()).toBe(2);
});

test("a server that knows neither transport is away for its first reason", async () => {
  const server = await rawHttpServer((_, response) => void response.writeHead(404).end("nothing here"));
  const { log } = start({ s: server });
  await waitFor("the refusal", () => log.some(({ fields }) => /^HTTP 404: .*nothing here/.test(String(fields.reason))));
});

test("a stream of HTTP with SSE that names no endpoint is given up", async () => {
  let open = 0;
  const server = await rawHttpServer((_, response, request) => {
    if (request.method !== "GET") return void response.writeHead(405).end();
    open++;
    response.once("close", () => open--);
    response.writeHead(200, EVENTS).write(": nothing\n\n");
  });
  const { log } = start({ s: server }, { openMs: 500, longestPauseMs: 30 * SECOND, firstPauseMs: 30 * SECOND });
  await waitFor("its end", () => log.some(({ fields }) => String(fields.reason).includes("did not answer within")));
  await waitFor("no open stream", () => open === 0);
});
