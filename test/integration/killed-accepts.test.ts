/**
 * An API that is killed while it accepts jobs leaves nothing of a job, or the whole: its entry in the queue, its place,
 * its entries in the owner index and in its session queue, its new session and its Idempotency-Key.
 */
import { decodeOwnerEntry } from "@agent-paas/shared/redis/owner-index.ts";
import { decodeEntry } from "@agent-paas/shared/redis/session-queue.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ApiClient } from "../support/api-client.ts";
import { countWaiting, isQueued } from "../support/bullmq.ts";
import { ownedBytes } from "../support/job-state.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { keysInRedis } from "../support/platform-state.ts";
import { waitFor } from "../support/wait-for.ts";

const KINDS = ["chat", "execute"] as const;
const ROUNDS = 3;
const POSTS = 60;

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ workers: 0 });
  // The API lists the agents of a worker for days after the worker has stopped.
  await (await platform.startWorker()).stop(10_000);
});
afterAll(() => platform.stop());

const keyOf = (round: number, at: number) => `killed-${round}-${at}`;

/** Chats that begin sessions and tasks, in turn. */
const post = (client: ApiClient, round: number, at: number) => {
  const text = `[[text=Done]] Post ${round}-${at}.`;
  const headers = { "Idempotency-Key": keyOf(round, at) };
  return at % 2 === 0
    ? client.post("/agents/chat_basic/execute", { task: text }, headers)
    : client.post("/chat/completions", { agent_type: "chat_basic", message: text }, headers);
};

/** The ids of the accepted jobs, by each place where an acceptance leaves them. */
async function traces() {
  const { redis, keys } = platform;
  const names = await keysInRedis(platform);
  const under = (key: string) => names.filter((name) => name.startsWith(key));
  const listed = async (texts: Promise<string[]>[]) => (await Promise.all(texts)).flat();
  const entries = (await listed(KINDS.map((kind) => redis.zrange(keys.ownerIndex(kind, "alice"), 0, -1)))).map(
    decodeOwnerEntry,
  );
  const indexed = entries.map(({ jobId }) => jobId);
  const queued = await Promise.all(indexed.map((id) => Promise.all(KINDS.map((kind) => isQueued(platform, kind, id)))));
  const holders = await listed(
    KINDS.flatMap((kind) => [redis.zrange(keys.places(kind), 0, -1), redis.zrange(keys.ownerQueues(kind), 0, -1)]),
  );
  const inSessions = await listed(under(keys.sessionQueue("")).map((name) => redis.lrange(name, 0, -1)));
  const records = await Promise.all(under(keys.idempotency("", "")).map((name) => redis.get(name)));
  const ofSessions = entries.filter(({ sessionId }) => sessionId !== null);
  return {
    entries,
    indexed: indexed.sort(),
    queued: indexed.filter((_, at) => queued[at]?.includes(true)).sort(),
    inBullmq: under(keys.queuedJob("chat", "")).concat(under(keys.queuedJob("execute", ""))),
    placed: holders.map((member) => member.split(":")[1]).sort(),
    recorded: records.map((text): string => JSON.parse(text ?? "{}").job_id).sort(),
    chats: ofSessions.map(({ jobId }) => jobId).sort(),
    inSessions: inSessions.map((entry) => decodeEntry(entry).jobId).sort(),
    sessions: ofSessions.map(({ sessionId }) => keys.pendingSession(sessionId ?? "")).sort(),
    pending: under(keys.pendingSession("")).sort(),
  };
}

test("an API that is killed while it accepts leaves nothing of a job or the whole, and repeated posts join it", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const before = (await traces()).indexed.length;
    const mortal = await platform.startApi();
    const posting = Promise.allSettled(Array.from({ length: POSTS }, (_, at) => post(mortal.alice, round, at)));
    await waitFor("the first jobs", async () => {
      const [chats, tasks] = await Promise.all(KINDS.map((kind) => countWaiting(platform, kind)));
      return (chats ?? 0) + (tasks ?? 0) > before;
    });
    await mortal.kill();
    await posting;
    const left = await traces();
    expect(left.indexed.length).toBeGreaterThan(before);
    for (const found of [left.queued, left.placed, left.recorded]) expect(found).toEqual(left.indexed);
    expect(left.inBullmq.filter((name) => left.indexed.some((id) => name.endsWith(id))).length).toBe(
      left.indexed.length,
    );
    expect([left.inSessions, left.pending]).toEqual([left.chats, left.sessions]);
    const bytes = left.entries.reduce((sum, entry) => sum + entry.bytes, 0);
    expect(await ownedBytes(platform, "alice")).toBe(bytes);
  }

  const accepted = new Set((await traces()).indexed);
  const { alice } = platform;
  const all = Array.from({ length: ROUNDS * POSTS }, (_, at) => [Math.floor(at / POSTS), at % POSTS] as const);
  const again = Promise.all(all.map(([round, at]) => post(alice, round, at)));
  await waitFor("all jobs", async () => (await traces()).recorded.length === all.length);
  expect((await traces()).recorded.filter((id) => accepted.has(id)).length).toBe(accepted.size);
  await platform.startWorker();
  const answers = await again;
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 202]));
  for (const { headers } of answers) await alice.ended(headers.get("x-job-id") ?? "");
  const calls = await platform.model.calls({ contains: "Post " });
  expect(new Set(calls.map(({ last_user }) => last_user)).size).toBe(all.length);
  expect(calls.length).toBe(all.length);
});
