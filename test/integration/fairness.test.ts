/**
 * Turns by owner: whatever one owner has running and waiting, another owner's next job starts at once,
 * also after a worker's death; and what crashes leave of places is removed.
 */
import { newId } from "@agent-paas/shared/ids.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { ApiClient } from "../support/api-client.ts";
import { countWaiting, dropLock, slotsOfOne } from "../support/bullmq.ts";
import { startTestChroma } from "../support/chroma.ts";
import { inParallel } from "../support/in-parallel.ts";
import { createKnowledgeClient, newCollection } from "../support/knowledge-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

const SLOTS = 4;
const FLOOD = 60;
const LONG = "[[tokens=1 ttft=600000]] Long";
const SHORT = "[[text=Hello]] Short";

let chroma: Server;
let platform: TestPlatform;
let alice: ApiClient;
let bob: ApiClient;
beforeAll(async () => {
  chroma = await startTestChroma();
  platform = await startTestPlatform({
    workers: 2,
    env: {
      CHROMA_URL: chroma.url,
      WORKER_CHAT_CONCURRENCY: String(SLOTS),
      WORKER_EXECUTE_CONCURRENCY: String(SLOTS),
      WORKER_KNOWLEDGE_CONCURRENCY: "2",
      MODEL_FIRST_TOKEN_TIMEOUT_MS: "600000",
    },
  });
  ({ alice, bob } = platform);
});
afterAll(async () => {
  await platform.stop();
  await chroma.stop();
});

/** A chat and an execute job of bob end, three times; while he waits for alice's jobs they do not. */
async function expectUnhindered(): Promise<void> {
  for (let no = 0; no < 3; no++) {
    const [chat, execute] = await Promise.all([
      bob.chatWhole(SHORT),
      bob.execute(SHORT).then((jobId) => bob.ended(jobId, 10_000)),
    ]);
    expect([chat.status, execute.status]).toEqual([200, "completed"]);
  }
}

/** More of alice's jobs than both workers have slots. */
async function flood(message: string): Promise<void> {
  await inParallel(16, Array.from({ length: FLOOD }), async () => {
    (await alice.chat({ message })).cut();
    await alice.execute(message);
  });
}

async function endFlood(): Promise<void> {
  const unfinished = async () => {
    const pages = ["queued", "running"].map((status) => alice.get(`/jobs?status=${status}&limit=100`));
    return (await Promise.all(pages)).flatMap(({ body }) => body.jobs);
  };
  await waitFor("the flood to end", async () => {
    const jobs = await unfinished();
    await inParallel(16, jobs, ({ id }) => alice.cancel(id));
    return jobs.length === 0;
  });
}

const placesOf = (queue: "chat" | "execute") => platform.redis.zrange(platform.keys.places(queue), 0, -1);

describe("an owner whose long jobs fill all the owner's slots", () => {
  beforeAll(() => flood(LONG));
  afterAll(endFlood);

  test("an owner alone runs as many jobs as the workers have slots without the reserved ones", async () => {
    await waitFor("the slots to fill", async () => (await platform.model.stats()).open_streams >= 4 * SLOTS);
    expect([(await placesOf("chat")).length, (await placesOf("execute")).length]).toEqual([2 * SLOTS, 2 * SLOTS]);
    expect(await countWaiting(platform, "execute")).toBe(FLOOD - 2 * SLOTS);
  });

  test("another owner's jobs do not wait for them", () => expectUnhindered());

  test("another owner's searches, ingests and deletions do not wait for agents", async () => {
    const knowledge = createKnowledgeClient(bob);
    const collection = newCollection();
    const { document_id } = await knowledge.store(collection, { source: "a.md", text: "Coffee is a drink." });
    expect((await knowledge.query(collection, "coffee")).passages).toHaveLength(1);
    expect((await bob.delete(`/knowledge/${collection}/documents/${document_id}`)).status).toBeLessThan(300);
  });

  test("another owner's jobs start as soon after a worker was killed and its jobs started again", async () => {
    const held = await placesOf("execute");
    await platform.workers[1]?.kill();
    await expectUnhindered();
    await platform.startWorker();
    await expectUnhindered();
    // Locks outlive the record of their worker.
    await waitFor("the dead worker to be forgotten", async () => (await slotsOfOne(platform, "execute")) === 2 * SLOTS);
    for (const queue of ["chat", "execute"] as const) {
      await dropLock(platform, queue, ...(await placesOf(queue)).map((member) => member.replace(/^.*:/, "")));
    }
    await expectUnhindered();
    // The new worker's slots were given out before the jobs of the dead one came back; these wait at the front now.
    await waitFor("no more jobs than slots", async () => (await placesOf("execute")).length === held.length);
    await expectUnhindered();
  });
});

describe("an owner with many short jobs", () => {
  test("another owner's jobs do not wait for them, and all of them end", async () => {
    await flood("[[tokens=30 rate=20]] A second and a half");
    await expectUnhindered();
    expect(await countWaiting(platform, "execute")).toBeGreaterThan(0);
    const isOver = async () => {
      const { body } = await alice.get("/jobs?status=queued&limit=1");
      return body.jobs.length === 0 && (await placesOf("chat")).length + (await placesOf("execute")).length === 0;
    };
    await waitFor("the flood to end by itself", isOver, 45_000);
  });
});

test("places and waiting entries whose job is gone are removed, and the places are given out again", async () => {
  const { redis, keys } = platform;
  const stale = Array.from({ length: 3 * SLOTS }, () => `alice:${newId()}`);
  await redis.zadd(keys.places("execute"), ...stale.flatMap((member) => [0, member]));
  await redis.zadd(keys.ownerQueues("execute"), 0, `alice:${newId()}`);
  const jobId = await alice.execute(SHORT);
  expect(await countWaiting(platform, "execute")).toBe(2);
  expect((await alice.job(jobId)).queue_position).toBe(1);
  await alice.ended(jobId);
  expect([await placesOf("execute"), await countWaiting(platform, "execute")]).toEqual([[], 0]);
});

test("messages of a session that wait for their turn hold no place", async () => {
  const first = await alice.chat({ message: "[[tokens=1 ttft=600000]] The head" });
  const sessionId = first.sessionId;
  await inParallel(4, Array.from({ length: 3 * SLOTS }), async () => {
    (await alice.chat({ message: SHORT, session_id: sessionId })).cut();
  });
  const other = await alice.chatWhole(SHORT);
  expect(other.status).toBe(200);
  await waitFor("the others to give their places up", async () => (await placesOf("chat")).length === 1);
  await alice.cancel(first.jobId);
  await waitFor("the session to end", async () => (await alice.history(sessionId)).length >= 6 * SLOTS);
  await waitFor("the last place to be free", async () => (await placesOf("chat")).length === 0);
});
