/**
 * I11: jobs wait for a person while worker, API and Redis are killed, and while Redis loses everything. Decisions by
 * another API have each go on: an approved call is made once, an edited one with the other arguments, a rejected one
 * not at all; no model turn is asked again, and the stream has one `done`.
 */
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import { isOutsideLists } from "../support/bullmq.ts";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { mortalWorker } from "../support/mortal-worker.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";
import { askForWrites, decide, waitingFor } from "../support/waiting-job.ts";

let redis: Server;
let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-waiting-"));
  redis = await startPrivateRedis();
  platform = await startTestPlatform({ redisUrl: redis.url, apis: 2, env: FIXTURE_AGENTS });
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
  await rm(dir, { recursive: true });
});

const healthy = () =>
  waitFor("Redis and a worker", async () => {
    const { checks } = (await platform.apis[1]?.alice.get("/health"))?.body ?? {};
    return checks?.redis.status === "up" && checks?.workers.status === "up";
  });

test("a worker that dies before it has let go of the job is followed by one that does", async () => {
  await platform.workers[0]?.kill();
  // It has shown what the job waits for when it dies, and holds the job as active.
  await platform.startWorker((await mortalWorker(dir, "suspended")).env);
  const file = join(dir, "let-go");
  const { jobId, reader, inquiries } = await askForWrites(platform.alice, [{ file, word: "let-go" }]);
  await platform.startWorker();
  await waitFor("the job to be let go of", () => isOutsideLists(platform, "chat", jobId));
  expect(await waitingFor(platform.alice, jobId)).toEqual(inquiries);
  await decide(platform.alice, jobId, { request_id: inquiries[0].request_id, decision: "approve" });
  expectOneDone(await reader.whole, "the stream", "completed");
  expect(await readFile(file, "utf8")).toBe("let-go\n");
  expect(await platform.model.calls({ contains: "let-go" })).toHaveLength(2);
}, 60_000);

const FAULTS: Readonly<Record<string, () => Promise<void>>> = {
  async "the worker is killed"() {
    await platform.workers.at(-1)?.kill();
    await platform.startWorker();
  },
  async "Redis is killed"() {
    await redis.kill();
    await redis.start();
  },
  async "Redis loses everything"() {
    await platform.redis.flushall();
  },
  async "the first API is killed"() {
    await platform.apis[0]?.kill();
  },
};

test.each(Object.entries(FAULTS))(
  "while a job waits, %s",
  async (name, strike) => {
    const file = join(dir, name.replaceAll(" ", "-"));
    const [first, second] = platform.apis;
    if (first === undefined || second === undefined) throw new Error("there are two APIs");
    const writes = ["approve", "edit", "reject"].map((decision) => ({ file: `${file}-${decision}`, word: name }));
    const { jobId, sessionId, reader, inquiries } = await askForWrites(first.alice, writes);
    // A stream through the API that dies breaks off.
    reader.whole.catch(() => {});
    const lastSeen = reader.seen.at(-1)?.id ?? 0;
    await strike();
    await healthy();
    expect(await waitingFor(second.alice, jobId, writes.length)).toEqual(inquiries);
    await waitFor(
      "the job to be back in Redis",
      async () => (await platform.redis.exists(platform.keys.queuedJob("chat", jobId))) > 0,
    );
    const next = await second.alice.chat({ message: "after it", session_id: sessionId });
    expect(await second.alice.job(next.jobId)).toMatchObject({ status: "queued" });
    const followed = await second.alice.follow(jobId, lastSeen);
    const decisions = inquiries.map(({ request_id, arguments: { file: own } }) => {
      const decision = own.split("-").at(-1);
      return { request_id, decision, ...(decision === "edit" && { arguments: { file: own, word: "edited" } }) };
    });
    expect(await decide(second.alice, jobId, ...decisions)).toMatchObject({ status: 200 });
    const events = await followed.all();
    expectOneDone(events, "the stream", "completed");
    expectRisingIds(events);
    expect(events[0]?.id).toBeGreaterThan(lastSeen);
    expect(await readFile(`${file}-approve`, "utf8")).toBe(`${name}\n`);
    expect(await readFile(`${file}-edit`, "utf8")).toBe("edited\n");
    await expect(access(`${file}-reject`)).rejects.toMatchObject({ code: "ENOENT" });
    expect(await platform.model.calls({ contains: name })).toHaveLength(2);
    expect((await next.all()).at(-1)).toMatchObject({ data: { status: "completed" } });
  },
  60_000,
);
