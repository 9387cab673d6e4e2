import { newId } from "@agent-paas/shared/ids.ts";
import { DAY } from "@agent-paas/shared/time.ts";
import { expect, test } from "vitest";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { type OpenStorage, openParts, type Parts } from "./storage-parts.ts";

const APPROVAL = { type: "approval", tool: "pay", arguments: { to: "bob" } } as const;
const QUESTION = { type: "input", question: "How much?", schema: { type: "integer" } } as const;
const LATER = new Date(Date.now() + DAY).toISOString();
const PAST = new Date(0).toISOString();

async function suspended(open: OpenStorage, expiresAt = LATER) {
  const parts = await openParts(open);
  return { ...parts, payload: await suspendOne(parts, expiresAt) };
}

async function suspendOne({ jobs, suspensions }: Pick<Parts, "jobs" | "suspensions">, expiresAt = LATER) {
  const payload = jobPayload({ job_id: newId() });
  await jobs.start(payload, 1);
  const inquiries = [
    { ...APPROVAL, request_id: "a" },
    { ...QUESTION, request_id: "b" },
  ];
  const suspension = { payload, fencingToken: 1, options: "{}", lastSeq: 7, inquiries, expiresAt, timeline: "{}" };
  expect(await suspensions.suspend(suspension)).toBe(true);
  return payload;
}

/** I11 in the rows. */
export function suspensionContract(open: OpenStorage): void {
  test("a suspended job waits until everything is decided, and its inquiries are read by the API", async () => {
    const { suspensions, jobReader, payload } = await suspended(open);
    const { job_id, owner } = payload;
    expect(await suspensions.isWaiting(job_id)).toBe(true);
    expect(await suspensions.find(job_id)).toMatchObject({ job_id, last_seq: 7, fencing_token: 1, attempts: 1 });
    expect(await suspensions.count(owner)).toBe(1);
    expect(await suspensions.count("nobody")).toBe(0);
    expect(await jobReader.countSuspended()).toBe(1);
    const asked = await jobReader.openInquiries([job_id]);
    expect(asked.map(({ inquiry }) => JSON.parse(inquiry))).toEqual([APPROVAL, QUESTION]);
    expect(await jobReader.list(owner, { status: "waiting", limit: 5 })).toMatchObject([{ id: job_id }]);

    await suspensions.decide(job_id, new Map([["a", { decision: "approve" }]]));
    expect(await suspensions.isWaiting(job_id)).toBe(true);
    await suspensions.decide(job_id, new Map([["b", { decision: "answer", answer: 5 }]]));
    expect(await suspensions.isWaiting(job_id)).toBe(false);
    expect(await jobReader.openInquiries([job_id])).toEqual([]);
    expect(await jobReader.list(owner, { status: "waiting", limit: 5 })).toEqual([]);
  });

  test("a decision is written once", async () => {
    const { suspensions, payload } = await suspended(open);
    await suspensions.decide(payload.job_id, new Map([["a", { decision: "approve" }]]));
    await suspensions.decide(payload.job_id, new Map([["a", { decision: "reject" }]]));
    expect(await suspensions.decisions(payload.job_id)).toEqual(new Map([["a", { decision: "approve" }]]));
  });

  test("a superseded run and a job that has ended cannot be suspended", async () => {
    const { jobs, suspensions } = await openParts(open);
    const payload = jobPayload();
    const suspension = { payload, options: "{}", lastSeq: 1, inquiries: [], expiresAt: LATER, timeline: "{}" };
    await jobs.start(payload, 1);
    await jobs.start(payload, 2);
    expect(await suspensions.suspend({ ...suspension, fencingToken: 1 })).toBe(false);
    await jobs.end(payload, 2, jobEnd("end"));
    expect(await suspensions.suspend({ ...suspension, fencingToken: 2 })).toBe(false);
    expect(await suspensions.find(payload.job_id)).toBeNull();
  });

  test("the next start ends the suspension, keeps the decisions, and no deadline counts the wait", async () => {
    const { jobs, suspensions, table, write, payload } = await suspended(open);
    const { job_id } = payload;
    await write([
      {
        query: table("suspended_jobs")
          .where({ job_id })
          .update({ suspended_at: Date.now() - 60_000 }),
      },
    ]);
    const first = await table("agent_logs").where({ id: job_id }).first();
    const started = await jobs.start(payload, 2);
    if (started.kind !== "started") throw new Error(`the job is ${started.kind}`);
    expect(started).toMatchObject({ attempt: 2, wasSuspended: true, timeline: "{}" });
    expect(await jobs.start(payload, 3)).toMatchObject({ attempt: 3, wasSuspended: false });
    expect(started.firstStartedAt - Date.parse(first?.started_at ?? "")).toBeGreaterThanOrEqual(60_000);
    expect(await suspensions.find(job_id)).toBeNull();
    expect(await suspensions.isWaiting(job_id)).toBe(false);
    expect(await suspensions.inquiries(job_id)).toHaveLength(2);
  });

  test("what has expired is found, and nothing of jobs that go on", async () => {
    const { jobs, suspensions, payload, ...parts } = await suspended(open, PAST);
    await suspendOne({ jobs, suspensions, ...parts });
    expect(await suspensions.expired(10)).toEqual([payload.job_id]);
    await jobs.start(payload, 2);
    expect(await suspensions.expired(10)).toEqual([]);
  });

  test("a job that was suspended since its row was read is not taken from the worker that ran it", async () => {
    const { jobs, suspensions, orphanedJobs } = await openParts(open);
    const payload = jobPayload({ job_id: newId() });
    await jobs.start(payload, 1);
    const [row] = await orphanedJobs.running("", 10);
    const written = { options: "{}", lastSeq: 1, inquiries: [], expiresAt: LATER, timeline: "{}" };
    const suspension = { payload, fencingToken: 1, ...written };
    expect(await suspensions.suspend(suspension)).toBe(true);
    expect(row && (await orphanedJobs.takeOver(row, 2))).toBe(false);
    await jobs.start(payload, 2);
    const [resumed] = await orphanedJobs.running("", 10);
    expect(resumed && (await orphanedJobs.takeOver(resumed, 3))).toBe(true);
  });

  test("sweeps learn what is decided, and the last number of a job is only raised", async () => {
    const { suspensions, payload } = await suspended(open);
    const { job_id } = payload;
    const swept = async () => (await suspensions.page("", 5)).map((job) => [job.is_decided, job.last_seq]);
    expect(await swept()).toEqual([[false, 7]]);
    await suspensions.decide(job_id, new Map([["a", { decision: "approve" }]]));
    await suspensions.raiseLastSeq(job_id, 9);
    expect(await swept()).toEqual([[false, 9]]);
    await suspensions.decide(job_id, new Map([["b", { decision: "answer", answer: 5 }]]));
    await suspensions.raiseLastSeq(job_id, 8);
    expect(await swept()).toEqual([[true, 9]]);
  });

  test("suspended jobs are no orphans, are read in pages, and go with their jobs", async () => {
    const { jobs, suspensions, orphanedJobs, retention, payload, ...parts } = await suspended(open);
    const other = await suspendOne({ jobs, suspensions, ...parts });
    expect(await orphanedJobs.running("", 10)).toEqual([]);
    const ids = [payload.job_id, other.job_id].sort();
    expect((await suspensions.page("", 1)).map(({ job_id }) => job_id)).toEqual(ids.slice(0, 1));
    expect((await suspensions.page(ids[0] ?? "", 5)).map(({ job_id }) => job_id)).toEqual(ids.slice(1));
    await retention.deleteJobs([{ id: payload.job_id, kind: "chat", agent_type: payload.agent_type }]);
    expect(await suspensions.find(payload.job_id)).toBeNull();
    expect(await suspensions.inquiries(payload.job_id)).toEqual([]);
  });
}
