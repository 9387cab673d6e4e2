/**
 * A master of Redis dies under load, with Sentinels and on a cluster: another one takes its place within seconds, every
 * stream is whole, no text is doubled, and no accepted job is lost if a replica had to have it (I1, I2).
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import type { RedisNode, RedisSet } from "../support/redis-sets.ts";
import { scriptedQuestion } from "../support/scripted-question.ts";
import { seededRandom } from "../support/seeded-random.ts";
import { type SseEvent, shownText } from "../support/sse-client.ts";
import { settledWithin, waitFor } from "../support/wait-for.ts";
import { decide, waitingFor } from "../support/waiting-job.ts";

const STREAMS = 20;
/** The documented limit for the replacement of a silent connection, and a margin for its successor. */
const GO_ON_WITHIN_MS = 12_000;

/** @param what the servers that take over from one another. */
export function failoverContract(what: string, startSet: () => Promise<RedisSet>): void {
  describe(`with ${what}`, () => {
    let set: RedisSet;
    let platform: TestPlatform;
    beforeAll(async () => {
      set = await startSet();
      const env = { ACCEPT_MIN_REPLICAS: "1", SSE_HEARTBEAT_MS: "500" };
      platform = await startTestPlatform({ redisUrl: set.url, workers: 2, env });
    });
    afterAll(async () => {
      await platform?.stop();
      await set?.stop();
    });

    /** The master that has the queues. */
    async function homeMaster(): Promise<RedisNode> {
      const masters = await set.masters();
      const sizes = await Promise.all(
        masters.map(({ control }) => control.exists(platform.keys.workers).catch(() => 0)),
      );
      const home = masters[sizes.indexOf(1)];
      if (home === undefined) throw new Error("no master has the queues");
      return home;
    }

    test("a job that no replica has is refused and does not run", async () => {
      const masters = await set.masters();
      const replicas = set.nodes.filter((node) => !masters.includes(node));
      for (const replica of replicas) replica.pause();
      const task = "[[text=never]] A job that nobody may lose";
      const refused = await platform.alice.post("/agents/chat_basic/execute", { task });
      const key = { "Idempotency-Key": "twice" };
      const again = () => platform.alice.post("/agents/chat_basic/execute", { task: "[[text=once]] Joined" }, key);
      const first = await again();
      for (const replica of replicas) replica.resume();
      expect([refused.status, refused.body.error.code]).toEqual([503, "not_replicated"]);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(first.body.error.code).toBe("not_replicated");

      const joined = await waitFor("the job to be joined", async () => {
        const { status, body } = await again();
        return status === 202 && body;
      });
      expect((await platform.alice.ended(joined.job_id)).result.content).toBe("once");
      const { body } = await platform.alice.get("/jobs");
      const left = body.jobs.filter(({ status }: { status: string }) => !["completed", "cancelled"].includes(status));
      expect(left).toEqual([]);
      await set.settled();
    }, 90_000);

    test("a decision, or a cancel, that no replica has is refused, and again when it is repeated, until one has it", async () => {
      const config = { tools: ["calculator"], approve: ["calculator"] };
      const task = '[[calls=calculator({"expression":"6*7"})]] A decision that nobody may lose';
      const jobId = await platform.alice.execute(task, { config }, "tool_basic");
      const unwanted = await platform.alice.execute(task, { config }, "tool_basic");
      await waitingFor(platform.alice, unwanted);
      const cancel = () => platform.alice.cancel(unwanted);
      const [{ request_id }] = (await waitingFor(platform.alice, jobId)) as [{ request_id: string }];
      const approve = () => decide(platform.alice, jobId, { request_id, decision: "approve" });
      // A worker that copies the decision into the database makes it durable.
      for (const worker of platform.workers) worker.signal("SIGSTOP");
      const masters = await set.masters();
      const replicas = set.nodes.filter((node) => !masters.includes(node));
      for (const replica of replicas) replica.pause();
      const refused = [await approve(), await approve(), await cancel(), await cancel()];
      for (const replica of replicas) replica.resume();
      expect(refused.map(({ status, body }) => [status, body.error.code])).toEqual(
        Array(4).fill([503, "not_replicated"]),
      );
      await waitFor("the decision to be accepted", async () => (await approve()).status === 200);
      await waitFor("the cancel to be accepted", async () => (await cancel()).status === 202);
      for (const worker of platform.workers) worker.signal("SIGCONT");
      expect((await platform.alice.ended(jobId)).result.content).toContain("42");
      expect((await platform.alice.ended(unwanted)).status).toBe("cancelled");
      await set.settled();
    }, 90_000);

    test("health names a server that evicts keys", async () => {
      const evicting = await homeMaster();
      await evicting.control.config("SET", "maxmemory-policy", "allkeys-lru");
      const { body } = await waitFor("health", async () => {
        const health = await platform.alice.get("/health");
        return health.body.checks.redis.status === "down" && health;
      });
      await evicting.control.config("SET", "maxmemory-policy", "noeviction");
      expect(body.checks.redis.reason).toContain("allkeys-lru");
      await waitFor("health", async () => (await platform.alice.get("/health")).body.checks.redis.status === "up");
    });

    test("streams go on within ten seconds after a master has fallen silent, and a Sentinel with it", async () => {
      const streams = await Promise.all(
        Array.from({ length: 10 }, (_, n) => platform.alice.chat({ message: `[[tokens=50 rate=5]] Silence ${n}` })),
      );
      const received = streams.map((): SseEvent[] => []);
      const reading = streams.map(async (stream, at) => {
        for await (const event of stream.events()) received[at]?.push(event);
      });
      await waitFor("text in every stream", () => received.every(({ length }) => length >= 5));
      const silent = [await homeMaster(), ...set.sentinels.slice(0, 1)];
      for (const server of silent) server.pause();
      // What was on its way may still arrive.
      const before = received.map(({ length }) => length + 1);
      const goOn = waitFor("new events", () => received.every(({ length }, at) => length > (before[at] ?? 0)));
      await settledWithin("new events", GO_ON_WITHIN_MS, goOn).finally(() => {
        for (const server of silent) server.resume();
      });
      await Promise.all(reading);
      for (const [at, { jobId }] of streams.entries()) {
        const { status, result } = await platform.alice.ended(jobId);
        expect([status, shownText(received[at] ?? [])]).toEqual(["completed", result.content]);
        expectOneDone(received[at] ?? [], jobId);
        expectRisingIds(received[at] ?? []);
      }
    }, 90_000);

    test("a killed master costs no accepted job, and no stream a token", async () => {
      await set.settled();
      const random = seededRandom(7);
      const asked = Array.from({ length: STREAMS }, (_, at) =>
        scriptedQuestion(`failover-${at}`, random, { words: 120, rate: 25, isTagless: true }),
      );
      const streams = await Promise.all(asked.map(({ message }) => platform.alice.chat({ message })));
      const reading = streams.map((stream) => stream.all());

      const accepted: string[] = [];
      const refusals = new Set<string>();
      let isOver = false;
      const posting = (async () => {
        for (let n = 0; !isOver; n += 1) {
          const task = `[[text=${n}]] Which number?`;
          const { status, body } = await platform.alice.post("/agents/chat_basic/execute", { task });
          if (status === 202) accepted.push(body.job_id);
          else refusals.add(body.error.code);
          await delay(20);
        }
      })();

      await waitFor("some jobs", () => accepted.length > 20);
      const master = await homeMaster();
      await master.kill();
      await waitFor("another master", () => homeMaster().catch(() => null));
      // Without it, the new master of a cluster of six has no replica that could have a job.
      await master.start();
      const before = accepted.length;
      await waitFor("jobs to be accepted again", () => accepted.length > before + 10, 30_000).finally(() => {
        isOver = true;
      });
      await posting;

      for (const [at, events] of (await Promise.all(reading)).entries()) {
        const { answer = "", label = "" } = asked[at] ?? {};
        expect(shownText(events), label).toBe(answer);
        expectOneDone(events, label);
        expectRisingIds(events);
      }
      const ended = await Promise.all(accepted.map((jobId) => platform.alice.ended(jobId)));
      expect(ended.filter(({ status }) => status !== "completed")).toEqual([]);
      expect([...refusals].filter((code) => !["queue_unavailable", "not_replicated"].includes(code))).toEqual([]);
    }, 90_000);
  });
}
