/**
 * I4 in the event log, on a real Redis: only the latest attempt of a job is heard, in the order in which it speaks (I2), and
 * nothing behind the end (I1), however many attempts believe at once that the job is theirs.
 */
import { decodeEvents, encodeEvent, type JobEvent } from "@agent-paas/shared/contract/events.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { DAY, SECOND } from "@agent-paas/shared/time.ts";
import { Redis } from "ioredis";
import { pino } from "pino";
import { expect, inject, onTestFinished, test } from "vitest";
import { createJobEventPublisher } from "../../apps/worker/src/events/job-event-publisher.ts";
import { type JobEventWriter, WriterRefused } from "../../apps/worker/src/events/job-event-writer.ts";
import { PUBLISH_SCRIPT, Verdict } from "../../apps/worker/src/events/publish-script.ts";
import { createJobClaims } from "../../apps/worker/src/job/job-claims.ts";

function openJob() {
  const redis = new Redis(inject("redisUrl"), { maxRetriesPerRequest: null });
  const keys = createRedisKeys(`t${newId().slice(-8)}`);
  const jobId = newId();
  onTestFinished(async () => {
    await redis.del(keys.jobState(jobId), keys.eventLog(jobId));
    redis.disconnect();
  });
  const claims = createJobClaims(redis, keys);
  const publisher = createJobEventPublisher({ redis, keys, logTtlSeconds: 60, logger: pino({ enabled: false }) });
  const refused: number[] = [];

  async function claim(attempt: number): Promise<JobEventWriter | null> {
    const claimed = await claims.claim(jobId, attempt);
    if (claimed.kind !== "claimed") return null;
    const signals = { refused: () => void refused.push(attempt), cancelRequested: () => {} };
    return publisher.open(jobId, attempt, claimed.seq, signals);
  }

  async function log() {
    const batches = await redis.xrangeBuffer(keys.eventLog(jobId), "-", "+");
    return batches.flatMap(([, fields]) => decodeEvents(fields[1] as Buffer));
  }

  /** The writer that claims the job with its first words. */
  const first = () => {
    const cancels: string[] = [];
    const signals = { refused: () => void refused.push(1), cancelRequested: () => void cancels.push(jobId) };
    return Object.assign(publisher.openFirst(jobId, signals), { cancels });
  };

  return { jobId, redis, keys, claims, claim, first, log, refused };
}

const text = (content: string): JobEvent => ({ event: "message", data: { content, type: "text" } });

function say(writer: JobEventWriter | null, ...events: JobEvent[]): Promise<void> {
  for (const event of events) writer?.append(event);
  return writer?.flushed() ?? Promise.reject(new Error("not claimed"));
}

const doneOf = (job_id: string): JobEvent => ({
  event: "done",
  data: { session_id: null, job_id, status: "completed", usage: null },
});

test("an attempt is refused once a higher one has claimed the job, also to claim it again", async () => {
  const { claim, log, refused } = openJob();
  const first = await claim(1);
  await say(first, text("of the first"));
  const second = await claim(3);
  await expect(say(first, text("too late"))).rejects.toThrow(WriterRefused);
  expect(refused).toEqual([1]);
  expect([await claim(1), await claim(2), await claim(3)]).toEqual([null, null, null]);
  await say(second, text("of the second"));
  expect((await log()).map(({ data }) => "content" in data && data.content)).toEqual(["of the first", "of the second"]);
});

test("nothing comes behind the end, of this attempt or a later one", async () => {
  const { jobId, claim, claims, log } = openJob();
  const writer = await claim(1);
  await say(writer, text("all"), doneOf(jobId));
  await expect(say(writer, text("more"))).rejects.toThrow(WriterRefused);
  expect(await claims.claim(jobId, 2)).toEqual({ kind: "ended" });
  expect((await log()).map(({ event }) => event)).toEqual(["message", "done"]);
});

test("an attempt whose job's state is gone is refused, and brings nothing back", async () => {
  const { jobId, redis, keys, claim, log, refused } = openJob();
  const writer = await claim(1);
  await say(writer, text("kept"));
  await redis.del(keys.jobState(jobId), keys.eventLog(jobId));
  await expect(say(writer, text("lost"))).rejects.toThrow(WriterRefused);
  expect([await log(), await redis.exists(keys.jobState(jobId)), refused]).toEqual([[], 0, [1]]);
});

test("the first words of a job claim it, as a claim of its own would", async () => {
  const { jobId, redis, keys, claim, first, log, refused } = openJob();
  const writer = first();
  await say(writer, text("first"));
  await say(writer, text("second"));
  expect(await redis.hgetall(keys.jobState(jobId))).toEqual({
    fencing_token: "1",
    attempts: "1",
    unfinished_attempts: "1",
    seq: "2",
  });
  for (const key of [keys.jobState(jobId), keys.eventLog(jobId)]) {
    expect(await redis.ttl(key)).toBeGreaterThan((6 * DAY) / SECOND);
  }
  expect(await claim(1)).toBeNull();
  await say(await claim(2), text("of the second"));
  await expect(say(writer, text("too late"))).rejects.toThrow(WriterRefused);
  expect([(await log()).length, refused]).toEqual([3, [1]]);
});

test("they are refused once anybody else has claimed the job, who is heard", async () => {
  const { jobId, claims, claim, first, log } = openJob();
  const other = await claim(1);
  await expect(say(first(), text("mine"))).rejects.toThrow(WriterRefused);
  await say(other, doneOf(jobId));
  await expect(say(first(), text("mine"))).rejects.toThrow(WriterRefused);
  expect((await log()).map(({ event }) => event)).toEqual(["done"]);
  expect(await claims.claim(jobId, 1)).toEqual({ kind: "ended" });
});

test("they bring back that the job was cancelled before", async () => {
  const { jobId, redis, keys, first } = openJob();
  await redis.hset(keys.jobState(jobId), "cancel", "1");
  const writer = first();
  await say(writer, text("first"));
  expect(writer.cancels).toEqual([jobId]);
});

test("the same call made again after a lost reply changes nothing", async () => {
  const { jobId, redis, keys, log } = openJob();
  redis.defineCommand("publishEvents", { lua: PUBLISH_SCRIPT });
  const { publishEvents } = redis as unknown as { publishEvents(...args: unknown[]): Promise<number[]> };
  const frame = encodeEvent(1, text("first"));
  const ofJob = [keys.eventChannel(jobId), 1, 0, 1, 1, frame, "", "", "1"];
  const call = () =>
    publishEvents.call(redis, 2, keys.jobState(jobId), keys.eventLog(jobId), 60, (7 * DAY) / SECOND, ...ofJob);
  expect([await call(), await call()]).toEqual([[Verdict.taken], [Verdict.taken]]);
  expect((await log()).map(({ seq }) => seq)).toEqual([1]);
  expect(await redis.hget(keys.jobState(jobId), "attempts")).toBe("1");
});

test("of twenty attempts that run at once the log has one after the other, and one end", async () => {
  const { jobId, claim, log } = openJob();
  const attempts: Promise<void>[] = [];
  async function run(attempt: number): Promise<void> {
    const writer = await claim(attempt);
    for (let n = 0; n < 10; n++) {
      // The next one believes that the job is its own while this one is in the middle of its words.
      if (n === 3 && attempt < 20) attempts.push(run(attempt + 1).catch(unlessRefused));
      await say(writer, text(String(attempt)));
    }
    await say(writer, doneOf(jobId));
  }
  attempts.push(run(1).catch(unlessRefused));
  for (const attempt of attempts) await attempt;

  const events = await log();
  const seqs = events.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  expect(events.filter(({ event }) => event === "done")).toEqual([events.at(-1)]);
  const speakers = events.flatMap(({ data }) => ("content" in data ? [Number(data.content)] : []));
  expect(speakers).toEqual(speakers.toSorted((a, b) => a - b));
  expect(new Set(speakers).size).toBe(20);
  // The last one said all that it had to say.
  expect(speakers.filter((speaker) => speaker === 20)).toHaveLength(10);
});

function unlessRefused(error: unknown): void {
  if (!(error instanceof WriterRefused)) throw error;
}
