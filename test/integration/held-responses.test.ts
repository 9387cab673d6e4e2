/**
 * JSON responses that are held back until a job ends, behind a proxy that closes a silent connection: they are answered
 * before, with a status that says what is the case.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { MINUTE } from "@agent-paas/shared/time.ts";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ApiConfigSchema } from "../../apps/api/src/config.ts";
import { type ApiClient, createApiClient } from "../support/api-client.ts";
import { KEYS, startTestPlatform, type TestPlatform } from "../support/platform.ts";

/** In place of the 60 s of common proxies. */
const PROXY_IDLE_MS = 2_000;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

/** Closes both sides of a connection on which no byte has passed for some time, as proxies do. */
async function startIdleProxy(target: string): Promise<string> {
  const { hostname, port } = new URL(target);
  const listener = createServer((client) => {
    const server = connect({ host: hostname, port: Number(port) });
    const closeBoth = () => [client, server].map((socket) => socket.destroy());
    for (const socket of [client, server]) {
      socket.setTimeout(PROXY_IDLE_MS, closeBoth).on("error", closeBoth).on("close", closeBoth);
    }
    client.pipe(server).pipe(client);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  onTestFinished(() => void listener.close());
  return `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
}

async function throughProxy(env: NodeJS.ProcessEnv = {}): Promise<ApiClient> {
  const api = await platform.startApi({ JSON_WAIT_MS: "1000", ...env });
  return createApiClient(await startIdleProxy(api.origin), KEYS.alice);
}

test("a whole answer that takes longer than a proxy waits is a 202 whose links lead to the answer", async () => {
  const client = await throughProxy();
  const accepted = await client.chatWhole("[[tokens=144 rate=12]] held back");
  expect(accepted).toMatchObject({ status: 202, body: { status: "running" } });
  const { job_id: jobId, links } = accepted.body;
  expect(accepted.headers.get("location")).toBe(links.self);
  const polled = await client.get(`/jobs/${jobId}?wait=60`);
  expect(polled).toMatchObject({ status: 200, body: { status: "running" } });
  const job = await client.ended(jobId);
  expect(job).toMatchObject({ status: "completed", attempt: 1 });
  const again = await (await client.follow(jobId)).all();
  expect(again.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
});

test("a whole answer that is ready before a proxy gives up keeps its own status", async () => {
  const client = await throughProxy();
  const { status, body } = await client.chatWhole("[[text=Here]] at once");
  expect([status, body.status, body.message.content]).toEqual([200, "completed", "Here"]);
  expect(await client.chatWhole("[[fault=401]] refused")).toMatchObject({
    status: 502,
    body: { error: { code: "model_auth_failed" } },
  });
});

test("responses are held back for less time than the usual idle limit of proxies by default", () => {
  const { JSON_WAIT_MS, SSE_HEARTBEAT_MS } = ApiConfigSchema.pick({ JSON_WAIT_MS: true, SSE_HEARTBEAT_MS: true }).parse(
    {},
  );
  expect(Math.max(JSON_WAIT_MS, SSE_HEARTBEAT_MS)).toBeLessThanOrEqual(MINUTE - 10_000);
});
