/** Connections on links that fall silent, to a server that offers to keep idle connections for ten minutes. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getGlobalDispatcher } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { startTcpProxy } from "../../../../test/support/tcp-proxy.ts";
import { settledWithin, waitFor } from "../../../../test/support/wait-for.ts";
import { createTransport } from "../model/openai/transport.ts";
import { createHttpAgent, useForFetch } from "./http-agent.ts";

/** The documented limit after which no request is sent on a connection that fell silent. */
const REPLACED_WITHIN_MS = 10_000;
const CONNECTIONS = 20;

/** Twenty connections through a proxy, all idle after they have answered one request each. */
async function idleConnections(fetch: typeof globalThis.fetch) {
  const server = createServer({ keepAliveTimeout: 600_000 }, (_, response) => response.end("answer"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const link = await startTcpProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(async () => {
    await link.close();
    server.closeAllConnections();
    server.close();
  });
  const ask = async (ms: number) => (await fetch(link.url, { signal: AbortSignal.timeout(ms) })).text();
  await Promise.all(Array.from({ length: CONNECTIONS }, () => ask(5_000)));
  expect(link.passing()).toBe(CONNECTIONS);
  return { link, ask };
}

function modelFetch(): typeof globalThis.fetch {
  const transport = createTransport(5_000);
  onTestFinished(() => transport.close());
  return transport.fetch;
}

function globalFetch(): typeof globalThis.fetch {
  const [agent, former] = [createHttpAgent(), getGlobalDispatcher()];
  useForFetch(agent);
  onTestFinished(() => {
    useForFetch(former);
    return agent.destroy();
  });
  return fetch;
}

test.each([
  ["the model", modelFetch],
  ["fetch", globalFetch],
])("idle connections of %s are closed although the server would keep them", async (_, open) => {
  const { link } = await idleConnections(open());
  await waitFor("the end of the idle connections", () => link.passing() === 0, REPLACED_WITHIN_MS);
});

test.each([
  ["the model", modelFetch],
  ["fetch", globalFetch],
])("requests of %s are answered again while its old connections are silent", async (_, open) => {
  const { link, ask } = await idleConnections(open());
  link.silence();
  const again = waitFor("an answer", () => ask(1_000).catch(() => null));
  expect(await settledWithin("an answer", REPLACED_WITHIN_MS, again)).toBe("answer");
  expect(link.silent()).toBe(CONNECTIONS);
});
