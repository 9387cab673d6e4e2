/**
 * Links to Redis that swallow everything without closing: within ten seconds every connection is replaced, streams go
 * on, and nothing is lost. The old connections stay silent until the test has ended.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { ApiClient } from "../support/api-client.ts";
import { expectWholeStream } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import type { SseEvent } from "../support/sse-client.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { settledWithin, waitFor } from "../support/wait-for.ts";

/** The documented limit for the replacement of a silent connection. */
const REPLACED_WITHIN_MS = 10_000;
/** Answers of 20 s: they end long after the connections have been replaced. */
const ANSWER = "[[tokens=100 rate=5]]";

let redis: Server;
let workerLink: TcpProxy;
let apiLink: TcpProxy;
let platform: TestPlatform;
/** A client of an API whose link is never silent, and of the API behind `apiLink`. */
let observer: ApiClient;
let alice: ApiClient;
beforeEach(async () => {
  redis = await startPrivateRedis();
  [workerLink, apiLink] = await Promise.all([startTcpProxy(redis.url), startTcpProxy(redis.url)]);
  platform = await startTestPlatform({ redisUrl: redis.url, workers: 0 });
  observer = platform.alice;
  await platform.startWorker({ REDIS_URL: workerLink.url, WORKER_CHAT_CONCURRENCY: "30" });
  ({ alice } = await platform.startApi({ REDIS_URL: apiLink.url }));
});
afterEach(async () => {
  await platform.stop();
  await Promise.all([workerLink.close(), apiLink.close()]);
  await redis.stop();
});

/** Streams that are open and running, and the events that each of them has received so far. */
async function openStreams(client: ApiClient, count: number) {
  const streams = await Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const { jobId, events } = await client.chat({ message: `${ANSWER} Chat ${n}` });
      const received: SseEvent[] = [];
      const ended = (async () => {
        for await (const event of events()) received.push(event);
      })();
      return { jobId, received, ended };
    }),
  );
  await waitFor("text in every stream", () => streams.every(({ received }) => received.length >= 5));
  return streams;
}

type OpenStreams = Awaited<ReturnType<typeof openStreams>>;

async function expectToGoOn(streams: OpenStreams): Promise<void> {
  // What was on its way when the link fell silent may still arrive.
  const counts = streams.map(({ received }) => received.length + 1);
  const goOn = waitFor("new events in every stream", () =>
    streams.every(({ received }, at) => received.length > (counts[at] ?? 0)),
  );
  await settledWithin("new events", REPLACED_WITHIN_MS, goOn);
}

async function expectAllWhole(streams: OpenStreams): Promise<void> {
  for (const { jobId, received, ended } of streams) {
    await ended;
    const { result, ...job } = await observer.ended(jobId);
    expect(job).toMatchObject({ status: "completed", attempt: 1 });
    expectWholeStream(received, result.content, jobId);
  }
}

/** A job that this client posts is accepted and completes. */
async function works(client: ApiClient): Promise<boolean> {
  const { status, body } = await client.post("/agents/chat_basic/execute", { task: "[[text=Done]] Again" });
  return status === 202 && (await observer.ended(body.job_id)).status === "completed";
}

test("streams go on, and new jobs start, while the worker's old connections are silent", async () => {
  const streams = await openStreams(observer, 20);
  workerLink.silence();
  const silent = workerLink.silent();
  expect(silent).toBeGreaterThan(3);
  const newJob = settledWithin("a new job", REPLACED_WITHIN_MS, works(observer));
  await expectToGoOn(streams);
  expect(await newJob).toBe(true);
  await expectAllWhole(streams);
  expect([workerLink.silent(), workerLink.passing()]).toEqual([silent, silent]);
});

test("an API accepts jobs again, and its streams go on, while its old connections are silent", async () => {
  const streams = await openStreams(alice, 5);
  apiLink.silence();
  const silent = apiLink.silent();
  const first = alice.post("/agents/chat_basic/execute", { task: "Refused" });
  const back = waitFor("an accepted job", () => works(alice));
  await Promise.all([expectToGoOn(streams), settledWithin("an accepted job", REPLACED_WITHIN_MS, back)]);
  expect(await first).toMatchObject({ status: 503, body: { error: { code: "queue_unavailable" } } });
  expect((await alice.get("/health")).body.checks.redis.status).toBe("up");
  await expectAllWhole(streams);
  expect([apiLink.silent(), apiLink.passing()]).toEqual([silent, silent]);
});

test("health and readiness report down while the API's connections are silent", async () => {
  apiLink.silence({ alsoNew: true });
  const [health, ready] = await Promise.all([alice.get("/health"), alice.get("/readyz")]);
  expect([health.status, ready.status]).toEqual([503, 503]);
});

test("work goes on soon after a link passes again whose new connections were silent as well", async () => {
  for (const link of [workerLink, apiLink]) link.silence({ alsoNew: true });
  const before = [workerLink.silent(), apiLink.silent()];
  await waitFor("connections that never said anything", () =>
    [workerLink, apiLink].every((link, at) => link.silent() >= 2 * (before[at] ?? 0)),
  );
  for (const link of [workerLink, apiLink]) link.admit();
  const back = waitFor("jobs to be accepted and completed", () => works(alice));
  await settledWithin("work after the silence", REPLACED_WITHIN_MS, back);
});

test("no connection is replaced that is merely idle, or whose process does not run for a while", async () => {
  await platform.startWorker();
  const connections = async () =>
    String(await platform.redis.client("LIST"))
      .split("\n")
      .map((line) => ({ id: /^id=(\d+)/.exec(line)?.[1], isBlocked: line.includes("cmd=bzpopmin") }))
      .filter(({ id }) => id !== undefined);
  expect(await works(alice)).toBe(true);
  const before = await waitFor("eight blocking fetches", async () => {
    const found = await connections();
    return found.filter(({ isBlocked }) => isBlocked).length === 8 && found;
  });
  const [stopped] = platform.workers;
  stopped?.signal("SIGSTOP");
  await delay(REPLACED_WITHIN_MS);
  stopped?.signal("SIGCONT");
  expect(await works(alice)).toBe(true);
  const after = new Set((await connections()).map(({ id }) => id));
  const replaced = before.filter(({ id }) => !after.has(id));
  // BullMQ measures its blocking fetches by a clock, so those of the stopped worker may be replaced.
  expect(replaced.filter(({ isBlocked }) => !isBlocked)).toEqual([]);
  expect(replaced.length).toBeLessThanOrEqual(4);
});
