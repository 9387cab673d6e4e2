/**
 * I11 where Redis has lost a part of what it confirmed, as a failover does: a suspended job stands in none of its
 * queue's lists, so nobody but the database may know what is to become of it.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DAY, SECOND } from "@agent-paas/shared/time.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { readInBackground, readSome } from "../support/background-reader.ts";
import {
  addUnreadable,
  ageFailure,
  hasFailed,
  isOutsideLists,
  isQueued,
  leaveLists,
  loseOrder,
  loseQueuedJob,
  waitingJobIds,
} from "../support/bullmq.ts";
import { expectOneDone, expectRisingIds } from "../support/expect-stream.ts";
import { forgetJob } from "../support/job-state.ts";
import { mortalWorker } from "../support/mortal-worker.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { thoughtsOf } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { askForWrites, decide, waitingFor } from "../support/waiting-job.ts";

/** So that a job waits in its queue while another one runs. */
const ONE_SLOT = { WORKER_CHAT_CONCURRENCY: "1", WORKER_RESERVED_PERCENT: "0" };

let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-losses-"));
  platform = await startTestPlatform({ env: { ...FIXTURE_AGENTS, ...ONE_SLOT } });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

/** A chat that waits for an approval, and that its worker has let go of. */
async function startWaiting(word: string) {
  const file = join(dir, word);
  const asked = await askForWrites(platform.alice, [{ file, word }]);
  await waitFor("the job to be let go of", () => isOutsideLists(platform, "chat", asked.jobId));
  const approval = { request_id: asked.inquiries[0].request_id, decision: "approve" };
  return { ...asked, file, approval };
}

type Waiting = Awaited<ReturnType<typeof startWaiting>>;

async function expectDoneOnce({ jobId, reader, file }: Waiting, word: string): Promise<void> {
  const events = await reader.whole;
  expectOneDone(events, "the stream", "completed");
  expectRisingIds(events);
  expect(await readFile(file, "utf8")).toBe(`${word}\n`);
  expect(await platform.alice.job(jobId)).toMatchObject({ status: "completed", waiting_for: [] });
}

async function killWorkers(): Promise<void> {
  for (const worker of platform.workers) await worker.kill();
}

/** Redis loses all that it keeps of the job. */
async function loseJob({ jobId, sessionId }: Waiting): Promise<void> {
  await forgetJob(platform, jobId);
  await loseQueuedJob(platform, "chat", jobId);
  await platform.redis.del(platform.keys.sessionQueue(sessionId ?? ""));
}

const askedIn = (events: Parameters<typeof thoughtsOf>[0]) =>
  thoughtsOf(events, "approval_required").map(({ request_id }) => request_id);

test("a job whose decisions only the database has, and that stands in no list, goes on", async () => {
  const job = await startWaiting("decided");
  const busy = await platform.bob.chat({ message: "[[tokens=2000 rate=20]] Keep the slot" });
  await readSome(busy);
  await decide(platform.alice, job.jobId, job.approval);
  await waitFor("the job to enter", async () => (await waitingJobIds(platform, "chat")).includes(job.jobId));
  await platform.redis.del(platform.keys.decisions(job.jobId));
  await leaveLists(platform, "chat", job);
  await platform.bob.cancel(busy.jobId);
  await expectDoneOnce(job, "decided");
});

test("a job that goes on, and of which Redis has lost that a worker took it, is started again", async () => {
  const job = await startWaiting("resumed");
  await killWorkers();
  // It has made the call and written that the job is suspended no more.
  const mortal = await mortalWorker(dir, "model_call");
  const worker = await platform.startWorker(mortal.env);
  await decide(platform.alice, job.jobId, job.approval);
  await worker.exited;
  expect(await mortal.victim()).toBe(job.jobId);
  await leaveLists(platform, "chat", job);
  await platform.startWorker();
  await expectDoneOnce(job, "resumed");
}, 120_000);

test("a job whose cancellation only its state in Redis tells ends", async () => {
  const { jobId, reader } = await startWaiting("cancelled");
  await killWorkers();
  expect((await platform.alice.cancel(jobId)).status).toBe(202);
  await loseOrder(platform, `cancel-${jobId}`);
  await platform.startWorker();
  expectOneDone(await reader.whole, "the stream", "cancelled");
}, 120_000);

test("a job that Redis has lost is cancelled all the same, and no number is used twice", async () => {
  const job = await startWaiting("lost");
  const { jobId, reader } = job;
  await killWorkers();
  await loseJob(job);
  expect((await platform.alice.cancel(jobId)).status).toBe(202);
  await platform.startWorker();
  const events = await reader.whole;
  expectOneDone(events, "the stream", "cancelled");
  expectRisingIds(events);
  expect(await platform.alice.job(jobId)).toMatchObject({ status: "cancelled", waiting_for: [] });
}, 120_000);

test("what a job asks is shown to those who come after Redis has lost it, and the job goes on", async () => {
  const job = await startWaiting("shown");
  const { jobId, reader, inquiries, approval } = job;
  await loseJob(job);
  await waitFor("it to be shown again", () => askedIn(reader.seen).length === 2);
  const late = readInBackground(await platform.alice.follow(jobId));
  await waitFor("it to be shown", () => askedIn(late.seen).length > 0);
  expect(askedIn(late.seen)).toEqual([inquiries[0].request_id]);
  await waitFor("the job to be let go of", () => isOutsideLists(platform, "chat", jobId));
  // Redis loses it once more: the numbers go on above those of the second showing.
  await loseJob(job);
  await waitFor("it to be shown a third time", () => askedIn(reader.seen).length === 3);
  await decide(platform.alice, jobId, approval);
  await expectDoneOnce(job, "shown");
  expectOneDone(await late.whole, "the late stream", "completed");
});

test.each([
  ["its events", "events", (jobId: string) => forgetJob(platform, jobId)],
  ["its log", "log", (jobId: string) => platform.redis.del(platform.keys.eventLog(jobId))],
] as const)("what a job asks is shown again when Redis has lost %s alone", async (_, word, lose) => {
  const job = await startWaiting(word);
  await lose(job.jobId);
  const late = readInBackground(await platform.alice.follow(job.jobId));
  await waitFor("it to be shown again", () => askedIn(job.reader.seen).length === 2);
  await waitFor("it to be shown to who comes later", () => askedIn(late.seen).length === 1);
  const waiting = (await platform.alice.get("/jobs?status=waiting&limit=100")).body.jobs as Json[];
  expect(waiting.find(({ id }) => id === job.jobId)?.waiting_for).toEqual(job.inquiries);
  expect(await platform.alice.job(job.jobId)).toMatchObject({ status: "waiting", waiting_for: job.inquiries });
  await decide(platform.alice, job.jobId, job.approval);
  await expectDoneOnce(job, word);
  expectOneDone(await late.whole, "the late stream", "completed");
});

test.each([
  ["", async () => {}],
  [", although Redis has lost its events", (jobId: string) => forgetJob(platform, jobId)],
])(
  "a job whose worker died before it had shown what it asks shows it%s",
  async (_, lose) => {
    await killWorkers();
    const { env, victim } = await mortalWorker(dir, "suspension_written");
    const { exited } = await platform.startWorker(env);
    const write = { file: join(dir, "unshown"), word: "unshown" };
    const message = `[[calls=approved_write(${JSON.stringify(write)})]] unshown`;
    const stream = await platform.alice.chat({
      agent_type: "tool_basic",
      config: { tools: ["approved_write"] },
      message,
    });
    const { jobId } = stream;
    const reader = readInBackground(stream);
    await exited;
    expect(await victim()).toBe(jobId);
    const [asked] = await waitingFor(platform.alice, jobId);
    expect(askedIn(reader.seen)).toEqual([]);
    await lose(jobId);
    await platform.startWorker();
    await waitFor("it to be shown", () => askedIn(reader.seen).length > 0);
    await waitFor("the job to be let go of", () => isOutsideLists(platform, "chat", jobId));
    expect(askedIn(reader.seen)).toEqual([asked.request_id]);
    await decide(platform.alice, jobId, { request_id: asked.request_id, decision: "approve" });
    expectOneDone(await reader.whole, "the stream", "completed");
  },
  120_000,
);

test("nothing of a job that waits expires while a worker lives", async () => {
  const more = { metadata: { padding: "x".repeat(64 * 1024) } };
  const { jobId, sessionId } = await askForWrites(platform.alice, [{ file: join(dir, "kept"), word: "kept" }], more);
  await waitFor("the job to be let go of", () => isOutsideLists(platform, "chat", jobId));
  const { redis, keys } = platform;
  const own = [keys.queuedJob("chat", jobId), keys.sessionQueue(sessionId ?? ""), keys.payload(jobId)];
  for (const key of own) expect(await redis.expire(key, 600)).toBe(1);
  await waitFor("all to be kept", async () => {
    const left = await Promise.all(own.map((key) => redis.ttl(key)));
    return left.every((seconds) => seconds > 600);
  });
});

test("a job that waits stays while BullMQ removes failed jobs of its queue, by their number and by their age", async () => {
  const job = await startWaiting("stays");
  const fail = async (kept: Parameters<typeof addUnreadable>[2]) => {
    const id = await addUnreadable(platform, "chat", kept);
    await waitFor("the job to fail", () => hasFailed(platform, "chat", id));
    return id;
  };
  const failed = [await fail({ count: 1 }), await fail({ count: 1 })];
  await ageFailure(platform, "chat", failed[1] ?? "", 2 * DAY);
  failed.push(await fail({ age: DAY / SECOND }));
  const left = await Promise.all(failed.map((id) => isQueued(platform, "chat", id)));
  expect(left).toEqual([false, false, true]);
  expect(await isOutsideLists(platform, "chat", job.jobId)).toBe(true);
  await decide(platform.alice, job.jobId, job.approval);
  await expectDoneOnce(job, "stays");
});

test.each([
  ["the events, is cancelled", "cancelled", (jobId: string) => forgetJob(platform, jobId)],
  ["the log alone, is cancelled", "cancelled", (jobId: string) => platform.redis.del(platform.keys.eventLog(jobId))],
  ["the log alone, goes on", "completed", (jobId: string) => platform.redis.del(platform.keys.eventLog(jobId))],
] as const)(
  "a job whose entry Redis has, and of which it has lost %s without using a number twice",
  async (...given) => {
    const [, status, lose] = given;
    const { alice } = platform;
    const jobId = await alice.execute("ask", {}, "asking");
    const reader = readInBackground(await alice.follow(jobId));
    const asked = () => thoughtsOf(reader.seen, "input_required");
    const [colour] = await waitFor("the first question", () => asked().length === 1 && asked());
    await decide(alice, jobId, { request_id: colour?.request_id, decision: "answer", answer: "red" });
    const [, size] = await waitFor("the second question", () => asked().length === 2 && asked());
    await waitFor("the job to be let go of", () => isOutsideLists(platform, "execute", jobId));
    await lose(jobId);
    if (status === "cancelled") expect((await alice.cancel(jobId)).status).toBe(202);
    else await decide(alice, jobId, { request_id: size?.request_id, decision: "answer", answer: "XL" });
    const events = await reader.whole;
    expectOneDone(events, "the stream", status);
    expectRisingIds(events);
  },
);
