import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { serveHere } from "../../../../../test/support/http-fetch.ts";
import { serverFetch } from "./server-fetch.ts";

test("an answer of an MCP server that is compressed is refused, and its connection is closed", async () => {
  const packed = gzipSync(gzipSync("{}"));
  const server = await serveHere((_, response) => {
    response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip, gzip" }).write(packed);
  });
  await expect(serverFetch(server.origin, { method: "POST" })).rejects.toThrow("is compressed");
  await expect.poll(() => server.seen.open).toBe(0);
});

test("a request to an MCP server asks for an answer without compression, and keeps its own headers", async () => {
  const server = await serveHere((request, response) => response.end(JSON.stringify(request.headers)));
  const response = await serverFetch(server.origin, { method: "POST", headers: { "x-own": "1" } });
  expect(await response.json()).toMatchObject({ "accept-encoding": "identity", "x-own": "1" });
});
