/**
 * I4 in the event log, on a real Redis: only the run with the highest fencing token publishes, its events keep their
 * order (I2), and nothing follows the terminal event (I1), however many runs of one job there are at once.
 */
import { decodeEvents, encodeEvent, type JobEvent } from "@agent-paas/shared/contract/events.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { connectionFor } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { DAY, SECOND } from "@agent-paas/shared/time.ts";
import { expect, inject, onTestFinished, test } from "vitest";
import { type JobEventWriter, WriterRefused } from "../../apps/worker/src/events/job-event-writer.ts";
import { PUBLISH_SCRIPT, PublishReply } from "../../apps/worker/src/events/publish-script.ts";
import { createJobClaims } from "../../apps/worker/src/job/job-claims.ts";
import { openEventPublisher } from "../support/event-publisher.ts";
import { forgetJob, readJobState, writeJobState } from "../support/job-state.ts";
import { openTestRedis } from "../support/redis.ts";

function openJob() {
  const keys = createRedisKeys(`t${newId().slice(-8)}`);
  const redis = openTestRedis(inject("redisUrl"), keys);
  const jobId = newId();
  onTestFinished(async () => {
    await redis.del(keys.jobState(jobId), keys.eventLog(jobId));
    redis.disconnect();
  });
  const claims = createJobClaims(redis, keys);
  const publisher = openEventPublisher(inject("redisUrl"), keys);
  const refused: number[] = [];

  async function claim(fencingToken: number): Promise<JobEventWriter | null> {
    const claimed = await claims.claim(jobId, fencingToken);
    if (claimed.kind !== "claimed") return null;
    const signals = { refused: () => void refused.push(fencingToken), cancelRequested: () => {} };
    return publisher.open({ jobId, fencingToken, seq: claimed.fence, signals });
  }

  async function log() {
    const batches = await redis.xrangeBuffer(keys.eventLog(jobId), "-", "+");
    return batches.flatMap(([, fields]) => decodeEvents(fields[1] as Buffer));
  }

  /** The writer of a first attempt, which claims the job with its first batch. */
  const first = () => {
    const cancels: string[] = [];
    const signals = { refused: () => void refused.push(1), cancelRequested: () => void cancels.push(jobId) };
    return Object.assign(publisher.openFirst(jobId, signals), { cancels });
  };

  return { jobId, redis, keys, claims, claim, first, log, refused };
}

const text = (content: string): JobEvent => ({ event: "message", data: { content, type: "text" } });

function publish(writer: JobEventWriter | null, ...events: JobEvent[]): Promise<void> {
  for (const event of events) writer?.append(event);
  return writer?.flushed() ?? Promise.reject(new Error("not claimed"));
}

const doneOf = (job_id: string): JobEvent => ({
  event: "done",
  data: { session_id: null, job_id, status: "completed", usage: null, finish_reason: null },
});

test("a run is refused once a higher fencing token has claimed the job, and cannot claim it again", async () => {
  const { claim, log, refused } = openJob();
  const first = await claim(1);
  await publish(first, text("of the first"));
  const second = await claim(3);
  await expect(publish(first, text("too late"))).rejects.toThrow(WriterRefused);
  expect(refused).toEqual([1]);
  expect([await claim(1), await claim(2), await claim(3)]).toEqual([null, null, null]);
  await publish(second, text("of the second"));
  expect((await log()).map(({ data }) => "content" in data && data.content)).toEqual(["of the first", "of the second"]);
});

test("no event follows the terminal event, from the run that ended or a later one", async () => {
  const { jobId, claim, claims, log } = openJob();
  const writer = await claim(1);
  await publish(writer, text("all"), doneOf(jobId));
  await expect(publish(writer, text("more"))).rejects.toThrow(WriterRefused);
  expect(await claims.claim(jobId, 2)).toEqual({ kind: "ended" });
  expect((await log()).map(({ event }) => event)).toEqual(["message", "done"]);
});

test("a run whose job's state is gone from Redis is refused, and writes no state again", async () => {
  const job = openJob();
  const { jobId, claim, log, refused } = job;
  const writer = await claim(1);
  await publish(writer, text("kept"));
  await forgetJob(job, jobId);
  await expect(publish(writer, text("lost"))).rejects.toThrow(WriterRefused);
  expect([await log(), await readJobState(job, jobId), refused]).toEqual([[], {}, [1]]);
});

test("the first batch of a first attempt claims the job as a claim of its own would", async () => {
  const job = openJob();
  const { jobId, redis, keys, claim, first, log, refused } = job;
  const writer = first();
  await publish(writer, text("first"));
  await publish(writer, text("second"));
  expect(await readJobState(job, jobId)).toEqual({ fencingToken: 1, attempts: 1, unfinishedAttempts: 1 });
  for (const key of [keys.jobState(jobId), keys.eventLog(jobId)]) {
    expect(await redis.ttl(key)).toBeGreaterThan((6 * DAY) / SECOND);
  }
  expect(await claim(1)).toBeNull();
  await publish(await claim(2), text("of the second"));
  await expect(publish(writer, text("too late"))).rejects.toThrow(WriterRefused);
  expect([(await log()).length, refused]).toEqual([3, [1]]);
});

test("the first batch is refused once another run has claimed the job, and that run publishes", async () => {
  const { jobId, claims, claim, first, log } = openJob();
  const other = await claim(1);
  await expect(publish(first(), text("mine"))).rejects.toThrow(WriterRefused);
  await publish(other, doneOf(jobId));
  await expect(publish(first(), text("mine"))).rejects.toThrow(WriterRefused);
  expect((await log()).map(({ event }) => event)).toEqual(["done"]);
  expect(await claims.claim(jobId, 1)).toEqual({ kind: "ended" });
});

test("what Redis lost while the connection was broken is in the log again before the next event", async () => {
  const { jobId, redis, keys, first, log, refused } = openJob();
  const writer = first();
  for (const content of ["one", "two", "three"]) await publish(writer, text(content));
  await redis.xdel(keys.eventLog(jobId), "2-2", "3-3");
  await redis.call("XSETID", keys.eventLog(jobId), "1-1");
  const server = connectionFor(redis, keys.eventLog(jobId));
  const clients = String(await server.call("CLIENT", "LIST", "TYPE", "normal"));
  for (const [, id = ""] of clients.matchAll(/^id=(\d+) .* name=test:publisher /gm))
    await server.client("KILL", "ID", id);
  await publish(writer, text("four"));
  expect((await log()).map(({ seq, data }) => [seq, "content" in data && data.content])).toEqual([
    [1, "one"],
    [2, "two"],
    [3, "three"],
    [4, "four"],
  ]);
  expect(refused).toEqual([]);
});

test("an end is not appended to a log that has expired, and makes no new one", async () => {
  const job = openJob();
  const { jobId, claim, log, refused } = job;
  const writer = await claim(1);
  await publish(writer, text("one"), text("two"));
  await publish(writer, text("three"));
  await forgetJob(job, jobId);
  await expect(publish(writer, doneOf(jobId))).rejects.toThrow(WriterRefused);
  expect([await log(), refused]).toEqual([[], [1]]);
});

test("the reply to the first batch reports that the job was cancelled before it started", async () => {
  const job = openJob();
  const { jobId, first } = job;
  await writeJobState(job, jobId, { cancelRequested: true });
  const writer = first();
  await publish(writer, text("first"));
  expect(writer.cancels).toEqual([jobId]);
});

test("a batch that is sent again after a lost reply changes nothing", async () => {
  const job = openJob();
  const { jobId, redis, keys, log } = job;
  redis.defineCommand("publishEvents", { lua: `local PUBLISH = 'PUBLISH'\n${PUBLISH_SCRIPT}` });
  const { publishEvents } = redis as unknown as { publishEvents(...args: unknown[]): Promise<number[]> };
  const frame = encodeEvent(1, text("first"));
  const ofJob = [keys.eventChannel(jobId), 1, 0, 1, 1, frame, "", "", "1"];
  const call = () =>
    publishEvents.call(redis, 2, keys.jobState(jobId), keys.eventLog(jobId), 60, (7 * DAY) / SECOND, ...ofJob);
  expect([await call(), await call()]).toEqual([[PublishReply.appended], [PublishReply.appended]]);
  expect((await log()).map(({ seq }) => seq)).toEqual([1]);
  expect(await readJobState(job, jobId)).toMatchObject({ attempts: 1 });
});

test("the log of twenty runs at once has the events of one after the other, and one terminal event", async () => {
  const { jobId, claim, log } = openJob();
  const runs: Promise<void>[] = [];
  async function run(fencingToken: number): Promise<void> {
    const writer = await claim(fencingToken);
    for (let n = 0; n < 10; n++) {
      // The next run claims the job while this one is in the middle of its events.
      if (n === 3 && fencingToken < 20) runs.push(run(fencingToken + 1).catch(unlessRefused));
      await publish(writer, text(String(fencingToken)));
    }
    await publish(writer, doneOf(jobId));
  }
  runs.push(run(1).catch(unlessRefused));
  for (const ended of runs) await ended;

  const events = await log();
  const seqs = events.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  expect(events.filter(({ event }) => event === "done")).toEqual([events.at(-1)]);
  const tokens = events.flatMap(({ data }) => ("content" in data ? [Number(data.content)] : []));
  expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
  expect(new Set(tokens).size).toBe(20);
  // The last run published all of its events.
  expect(tokens.filter((token) => token === 20)).toHaveLength(10);
});

function unlessRefused(error: unknown): void {
  if (!(error instanceof WriterRefused)) throw error;
}
