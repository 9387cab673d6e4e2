import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { chromaHeaders } from "@agent-paas/shared/config/common-config.ts";
import { expect, onTestFinished, test } from "vitest";
import { createChromaStore } from "./chroma-store.ts";

/** A proxy that lets nobody pass, and remembers what it was asked with. */
async function startGate(): Promise<{ url: string; asked: IncomingHttpHeaders[] }> {
  const asked: IncomingHttpHeaders[] = [];
  const server = createServer((request, response) => {
    asked.push(request.headers);
    response.writeHead(401, { "content-type": "application/json" }).end('{"error":"who are you?"}');
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

test.each([
  ["a token goes with every request, in both headers that Chroma's versions read", "s3cret", "Bearer s3cret"],
  ["without a token there is no header for it", undefined, undefined],
])("%s", async (_, CHROMA_TOKEN, authorization) => {
  const { url, asked } = await startGate();
  const store = createChromaStore({ url, headers: chromaHeaders({ CHROMA_TOKEN }) });
  const { signal } = new AbortController();
  await expect(store.deleteCollection("notes", signal)).rejects.toThrow();
  expect(asked.length).toBeGreaterThan(0);
  for (const headers of asked) {
    expect([headers.authorization, headers["x-chroma-token"]]).toEqual([authorization, CHROMA_TOKEN]);
  }
});
