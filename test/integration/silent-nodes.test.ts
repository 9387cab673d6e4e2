/**
 * Links to the nodes of a cluster, and to Sentinels, that swallow everything without closing: within ten seconds every
 * connection is replaced, and a Sentinel that says nothing is in nobody's way.
 */
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { expect, onTestFinished, test } from "vitest";
import { expectWholeStream } from "../support/expect-stream.ts";
import { startTestPlatform } from "../support/platform.ts";
import { openTestRedis } from "../support/redis.ts";
import { startCluster, startSentinelSet } from "../support/redis-sets.ts";
import type { SseEvent } from "../support/sse-client.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";
import { settledWithin, waitFor } from "../support/wait-for.ts";

/** The documented limit for the replacement of a silent connection. */
const REPLACED_WITHIN_MS = 10_000;
/** Longer than standing connections go without a look at who is master. */
const LOOKS_WITHIN_MS = 5_000;

async function link(port: number, links: TcpProxy[]): Promise<number> {
  const proxy = await startTcpProxy(`redis://127.0.0.1:${port}`);
  onTestFinished(() => proxy.close());
  links.push(proxy);
  return Number(new URL(proxy.url).port);
}

test("streams go on, and jobs are accepted, after all connections to all nodes of a cluster have fallen silent", async () => {
  const links: TcpProxy[] = [];
  const set = await startCluster({ announce: (port) => link(port, links) });
  onTestFinished(set.stop);
  const platform = await startTestPlatform({ redisUrl: set.url, env: { WORKER_CHAT_CONCURRENCY: "30" } });
  onTestFinished(platform.stop);
  const { alice } = platform;
  const chats = await Promise.all(
    Array.from({ length: 10 }, (_, n) => alice.chat({ message: `[[tokens=50 rate=5]] Node ${n}` })),
  );
  const received = chats.map((): SseEvent[] => []);
  const reading = chats.map(async (chat, at) => {
    for await (const event of chat.events()) received[at]?.push(event);
  });
  await waitFor("text in every stream", () => received.every(({ length }) => length >= 5));

  for (const each of links) each.silence();
  const silent = links.map((each) => each.silent());
  // What was on its way may still arrive.
  const before = received.map(({ length }) => length + 1);
  const goOn = waitFor("new events", () => received.every(({ length }, at) => length > (before[at] ?? 0)));
  const accepted = waitFor("a job", async () => {
    const { status, body } = await alice.post("/agents/chat_basic/execute", { task: "[[text=Done]] Again" });
    return status === 202 && (await alice.ended(body.job_id)).status === "completed";
  });
  await settledWithin("new events and a job", REPLACED_WITHIN_MS, Promise.all([goOn, accepted]));
  await Promise.all(reading);
  for (const [at, { jobId }] of chats.entries()) {
    const { result, ...job } = await alice.ended(jobId);
    expect(job).toMatchObject({ status: "completed", attempt: 1 });
    expectWholeStream(received[at] ?? [], result.content, jobId);
  }
  expect(links.map((each) => each.silent())).toEqual(silent);
}, 90_000);

test("commands go on while Sentinels are silent, and find the master by the one that answers", async () => {
  const set = await startSentinelSet();
  onTestFinished(set.stop);
  const links: TcpProxy[] = [];
  let { url } = set;
  for (const { port } of set.sentinels) url = url.replace(`:${port}`, `:${await link(port, links)}`);
  const redis = openTestRedis(url, createRedisKeys("silent"));
  onTestFinished(() => redis.disconnect());
  await redis.set("{silent}:key", "kept");
  const clientId = await redis.client("ID");
  const breakConnection = async (): Promise<void> => {
    const [master] = await set.masters();
    await master?.control.client("KILL", "TYPE", "normal", "SKIPME", "yes");
  };

  for (const each of links) each.silence({ alsoNew: true });
  const asked = links.map((each) => each.silent());
  await waitFor("looks at who is master", () => links.every((each, at) => each.silent() > (asked[at] ?? 0) + 1));
  expect(await redis.client("ID")).toBe(clientId);

  links[2]?.admit();
  await breakConnection();
  expect(await settledWithin("a command", LOOKS_WITHIN_MS, redis.get("{silent}:key"))).toBe("kept");

  links[2]?.silence({ alsoNew: true });
  await breakConnection();
  const waiting = redis.get("{silent}:key");
  const looked = links[0]?.silent() ?? 0;
  await waitFor("looks in vain", () => (links[0]?.silent() ?? 0) > looked + 1);
  links[1]?.admit();
  expect(await settledWithin("the command", LOOKS_WITHIN_MS, waiting)).toBe("kept");
}, 60_000);
