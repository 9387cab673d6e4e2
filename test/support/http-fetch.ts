/** For the tests of the tool `http_fetch`: calls of the tool, and servers for it. */
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished } from "vitest";
import type { Resolve } from "../../packages/agents/src/tools/http-fetch/guarded-agent.ts";
import { createHttpFetch } from "../../packages/agents/src/tools/http-fetch.ts";
import { type ToolContext, ToolError } from "../../packages/agents/src/tools/tool.ts";

type Result = { status: number; url: string; content_type: string | null; truncated: boolean; body: string };

type CallOptions = {
  readonly hosts: readonly string[];
  readonly resolve?: Resolve;
  readonly refusedAfterMs?: number;
  readonly signal?: AbortSignal;
  readonly proxy?: string;
};

/** One call of `http_fetch` with this list of hosts. Names that may not be fetched are refused soon. */
export async function call(
  args: object,
  { hosts, resolve, refusedAfterMs = 100, signal, proxy }: CallOptions,
): Promise<Result> {
  const tool = createHttpFetch(hosts, { ...(resolve && { resolve }), refusedAfterMs, proxy });
  const context = { signal: signal ?? new AbortController().signal } as ToolContext;
  return (await tool.call(tool.parse(args), context)) as Result;
}

/** The message of the `ToolError` that the call ends with. */
export async function refusal(...args: Parameters<typeof call>): Promise<string> {
  const failure = await call(...args).then(
    (result) => expect.unreachable(`fetched: ${JSON.stringify(result)}`),
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ToolError);
  return (failure as ToolError).message;
}

/** A server that counts its connections. With an empty host it listens on all addresses, including IPv6. */
export async function serve(answer: RequestListener, host = "127.0.0.1") {
  const seen = { connections: 0, open: 0 };
  const server = createServer(answer).on("connection", (socket) => {
    seen.connections++;
    seen.open++;
    socket.on("close", () => seen.open--);
  });
  await new Promise<void>((listening) => server.listen({ port: 0, ...(host && { host }) }, listening));
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  return { port, seen, stop, origin: `http://${host}:${port}`, listed: `${host}:${port}` };
}

/** A server that is stopped when the test ends. */
export async function serveHere(answer: RequestListener) {
  const server = await serve(answer);
  onTestFinished(async () => void (await server.stop()));
  return server;
}

export const resolveTo =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
