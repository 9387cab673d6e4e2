/** A decision is made once, whoever else decides, cancels or lets time pass at the same moment (I11). */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Table } from "@agent-paas/shared/db/queries.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readInBackground } from "../support/background-reader.ts";
import { isQueued } from "../support/bullmq.ts";
import { expectOneDone } from "../support/expect-stream.ts";
import { failpointPauses } from "../support/failpoint-pauses.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { readDatabase } from "../support/platform-state.ts";
import { thoughtsOf } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";
import { askForWrites, decide, waitingFor } from "../support/waiting-job.ts";

/** How long inquiries wait here, s: some jobs are decided at the moment at which they expire. */
const TTL_SECONDS = 10;

let platform: TestPlatform;
let dir: string;
let pauses: Awaited<ReturnType<typeof failpointPauses>>;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-races-"));
  pauses = await failpointPauses(dir);
  const env = { ...FIXTURE_AGENTS, ...pauses.env, DECISION_TTL_SECONDS: `${TTL_SECONDS}` };
  platform = await startTestPlatform({ apis: 2, workers: 2, env });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at);
const deciders = () => [platform.apis[0], platform.apis[1]].map((api) => api?.alice ?? platform.alice);
const config = { tools: ["approved_write"] };
const taskOf = (file: string) => `race [[calls=approved_write(${JSON.stringify({ file, word: "once" })})]]`;
const timesWritten = async (file: string) =>
  (await readFile(file, "utf8").catch(() => "")).split("\n").filter((line) => line === "once").length;

test("of two people who decide at once one decides, in each of 200 races", async () => {
  const race = async (at: number) => {
    const file = join(dir, `race-${at}`);
    const jobId = await platform.alice.execute(taskOf(file), { config }, "tool_basic");
    const [{ request_id }] = (await waitingFor(platform.alice, jobId)) as [{ request_id: string }];
    const verdicts = at % 2 === 0 ? ["approve", "reject"] : ["reject", "approve"];
    const answers = await Promise.all(
      deciders().map((client, who) => decide(client, jobId, { request_id, decision: verdicts[who] })),
    );
    const job = await platform.alice.ended(jobId);
    const winner = verdicts[answers.findIndex(({ status }) => status === 200)];
    return {
      statuses: answers.map(({ status }) => status).sort(),
      end: [job.status, job.attempt],
      isAsDecided: (await timesWritten(file)) === (winner === "approve" ? 1 : 0),
    };
  };
  const outcomes = [];
  for (let at = 0; at < 200; at += 20) outcomes.push(...(await Promise.all(numbers(20).map((of) => race(at + of)))));
  expect(outcomes).toEqual(Array(200).fill({ statuses: [200, 409], end: ["completed", 2], isAsDecided: true }));
}, 180_000);

test("a decision that comes before the worker has let go of the job is not lost", async () => {
  const race = async (at: number) => {
    const file = join(dir, `early-${at}`);
    const stream = await platform.alice.chat({ agent_type: "tool_basic", message: taskOf(file), config });
    let dones = 0;
    for await (const event of stream.events()) {
      const [asked] = thoughtsOf([event], "approval_required");
      if (asked) await decide(platform.alice, stream.jobId, { request_id: asked.request_id, decision: "approve" });
      if (event.event === "done") dones += 1;
    }
    return [dones, await timesWritten(file)];
  };
  expect(await Promise.all(numbers(40).map(race))).toEqual(Array(40).fill([1, 1]));
}, 60_000);

/** The moments at which a job is written as suspended and its worker still holds it. */
const MOMENTS = ["suspension_written", "suspended"] as const;

/** Starts a job that asks before it writes into the file, and acts on it while it is held at that moment. */
const actAt = (moment: (typeof MOMENTS)[number], file: string, act: (jobId: string) => Promise<void>) =>
  pauses.at(
    moment,
    async () => {
      const stream = await platform.alice.chat({ agent_type: "tool_basic", message: taskOf(file), config });
      return { jobId: stream.jobId, reader: readInBackground(stream) };
    },
    ({ jobId }) => act(jobId),
  );

test.each(MOMENTS)("a cancel at the moment %s ends the job, and its call is not made", async (moment) => {
  const file = join(dir, `cancelled-${moment}`);
  const { jobId, reader } = await actAt(moment, file, async (jobId) => {
    await waitingFor(platform.alice, jobId);
    expect((await platform.alice.cancel(jobId)).status).toBe(202);
  });
  expectOneDone(await reader.whole, moment, "cancelled");
  expect(await timesWritten(file)).toBe(0);
  expect(await platform.alice.job(jobId)).toMatchObject({ status: "cancelled", waiting_for: [] });
  const left = await readDatabase(platform, (table) =>
    table("suspended_jobs").where({ job_id: jobId }).pluck("job_id"),
  );
  expect(left).toEqual([]);
  await waitFor("the queue to forget the job", async () => !(await isQueued(platform, "chat", jobId)));
});

test.each(MOMENTS)("a decision at the moment %s is carried out once", async (moment) => {
  const file = join(dir, `decided-${moment}`);
  const { jobId, reader } = await actAt(moment, file, async (jobId) => {
    const [{ request_id }] = (await waitingFor(platform.alice, jobId)) as [{ request_id: string }];
    expect((await decide(platform.alice, jobId, { request_id, decision: "approve" })).status).toBe(200);
    // The other worker has looked at the decision, and found the job active.
    const decided = (table: Table) =>
      table("inquiries").where({ job_id: jobId }).whereNotNull("decision").pluck("job_id");
    await waitFor("the decision to be written", async () => (await readDatabase(platform, decided)).length === 1);
  });
  expectOneDone(await reader.whole, moment, "completed");
  expect(await timesWritten(file)).toBe(1);
  expect(await platform.alice.job(jobId)).toMatchObject({ status: "completed", attempt: 2, waiting_for: [] });
});

test("a decision and a cancel at once: the job ends once, and the call is made at most once", async () => {
  const race = async (at: number) => {
    const { jobId, reader, inquiries } = await askForWrites(platform.alice, [
      { file: join(dir, `cancel-${at}`), word: "once" },
    ]);
    const decision = { request_id: inquiries[0].request_id, decision: "approve" };
    const [decided, cancelled] = await Promise.all([
      decide(platform.alice, jobId, decision),
      platform.alice.cancel(jobId),
    ]);
    const events = await reader.whole;
    return {
      wasAnswered: [200, 409].includes(decided.status) && [200, 202].includes(cancelled.status),
      dones: events.filter(({ event }) => event === "done").length,
      isOnceAtMost: (await timesWritten(join(dir, `cancel-${at}`))) <= 1,
    };
  };
  const expected = { wasAnswered: true, dones: 1, isOnceAtMost: true };
  expect(await Promise.all(numbers(30).map(race))).toEqual(Array(30).fill(expected));
}, 60_000);

test("a decision at the moment of expiry: either counts, and the job does what counts", async () => {
  const race = async (at: number) => {
    const file = join(dir, `expiry-${at}`);
    const jobId = await platform.alice.execute(taskOf(file), { config }, "tool_basic");
    const [asked] = await waitingFor(platform.alice, jobId);
    const moment = Date.parse(asked.expires_at) + (at % 2 === 0 ? -20 : 20) * at;
    await waitFor("the moment", () => Date.now() >= moment);
    const { status } = await decide(platform.alice, jobId, { request_id: asked.request_id, decision: "approve" });
    const job = await platform.alice.ended(jobId);
    return [job.status, (await timesWritten(file)) === (status === 200 ? 1 : 0)];
  };
  expect(await Promise.all(numbers(20).map(race))).toEqual(Array(20).fill(["completed", true]));
}, 60_000);

test("what nobody decides counts as rejected, the model is told, and no deadline counts the wait", async () => {
  const file = join(dir, "expired");
  const more = { limits: { deadline_ms: 3_000 } };
  const asked = await askForWrites(platform.alice, [{ file, word: "once" }], more);
  const { jobId, reader, inquiries } = asked;
  const events = await reader.whole;
  expect(thoughtsOf(events, "tool_result").map(({ result }) => result)).toEqual([
    expect.stringContaining("nobody approved it in time"),
  ]);
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  expect(await timesWritten(file)).toBe(0);
  expect(await platform.alice.job(jobId)).toMatchObject({ status: "completed", attempt: 2 });
  // Rejecting it is what has happened already; approving it is not.
  const answers = ["reject", "approve"].map((decision) =>
    decide(platform.alice, jobId, { request_id: inquiries[0].request_id, decision }),
  );
  expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 409]);
});
