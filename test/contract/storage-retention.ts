import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { DAY } from "@agent-paas/shared/time.ts";
import { expect, test } from "vitest";
import { jobPayload } from "../support/job-payload.ts";
import { seedSession } from "../support/seed-session.ts";
import { endedJob, insertJobs, type OpenStorage, openParts, type Parts } from "./storage-parts.ts";

const daysAgo = (days: number) => new Date(Date.now() - days * DAY);
const endedDaysAgo = (days: number, fields: Partial<JobRow> = {}) =>
  endedJob({ finished_at: daysAgo(days).toISOString(), ...fields });
const RUNNING = { status: "running", finished_at: null } as const;

async function ageSession({ table, write }: Parts, id: string, days: number): Promise<void> {
  await write([
    {
      query: table("sessions")
        .where({ id })
        .update({ updated_at: daysAgo(days).toISOString() }),
    },
  ]);
}

const idsOf = (rows: readonly { readonly id: string }[]) => rows.map(({ id }) => id).sort();

export function retentionContract(open: OpenStorage): void {
  test("old jobs outside sessions are found, without young, running and session ones", async () => {
    const parts = await openParts(open);
    const sessionId = await seedSession(parts.storage, "alice", 1);
    const old = endedDaysAgo(3);
    const inSession = endedDaysAgo(3, { session_id: sessionId });
    await insertJobs(parts, old, endedDaysAgo(1), endedJob(RUNNING), inSession);
    expect(await parts.retention.jobsOutsideSessions(daysAgo(2), 10)).toEqual([
      { id: old.id, kind: "execute", agent_type: "chat_basic" },
    ]);
  });

  test("old knowledge queries are found, and no more rows than the limit", async () => {
    const parts = await openParts(open);
    const queries = [1, 2, 3].map(() => endedDaysAgo(3, { agent_type: "knowledge.query" }));
    await insertJobs(parts, ...queries, endedDaysAgo(3), endedDaysAgo(1, { agent_type: "knowledge.query" }));
    expect(idsOf(await parts.retention.queries(daysAgo(2), 10))).toEqual(idsOf(queries));
    expect(await parts.retention.queries(daysAgo(2), 2)).toHaveLength(2);
  });

  test("deleted jobs take their journals and messages along", async () => {
    const parts = await openParts(open);
    const { table, write, retention, storage } = parts;
    const sessionId = await seedSession(storage, "alice", 2);
    const jobs = await retention.jobsOfSession({ id: sessionId, owner: "alice" }, 10);
    const [{ id: job_id } = { id: "" }] = jobs;
    const entry = { step_no: 1, step_key: "k", kind: "tool", status: "finished", fencing_token: 1 } as const;
    await write([{ query: table("agent_steps").insert({ ...entry, job_id, started_at: "" }) }]);
    expect(await retention.jobsOfSession({ id: sessionId, owner: "bob" }, 10)).toEqual([]);
    await retention.deleteJobs(jobs.slice(0, 1));
    expect(await table("messages").distinct("job_id").pluck("job_id")).toEqual(idsOf(jobs.slice(1)));
    expect(await table("agent_steps")).toEqual([]);
  });

  test("unused sessions are found in the order of their last use, without those in which a job runs", async () => {
    const parts = await openParts(open);
    const { retention } = parts;
    const ids: string[] = [];
    for (const days of [3, 5, 9, 1]) {
      const id = await seedSession(parts.storage, "alice", 1);
      await ageSession(parts, id, days);
      ids.push(id);
    }
    const [unused = "", longUnused = "", busy = "", used = ""] = ids;
    await insertJobs(parts, endedJob({ ...RUNNING, session_id: busy }));
    const found = await retention.untouchedSessions(daysAgo(2), 10);
    expect(found).toEqual([longUnused, unused].map((id) => ({ id, owner: "alice" })));
    const isUntouched = (id: string, owner = "alice") => retention.isUntouched({ id, owner }, daysAgo(2));
    expect(await Promise.all([isUntouched(unused), isUntouched(used), isUntouched(unused, "bob")])).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("unused sessions of one job are those that have the id of a job", async () => {
    const parts = await openParts(open);
    const { retention, storage } = parts;
    const [ofJob, used, other] = [
      await seedSession(storage, "alice", 1),
      await seedSession(storage, "alice", 1),
      await seedSession(storage, "alice", 1),
    ];
    await insertJobs(parts, ...[ofJob, used].map((id) => endedDaysAgo(3, { id, session_id: id })));
    for (const id of [ofJob, other]) await ageSession(parts, id, 3);
    expect(await retention.untouchedSessionsOfJobs(daysAgo(2), 10)).toEqual([{ id: ofJob, owner: "alice" }]);
  });

  test("a session is deleted with its jobs only while it is unused", async () => {
    const parts = await openParts(open);
    const { table, retention, storage } = parts;
    const id = await seedSession(storage, "alice", 1);
    await retention.deleteSession({ id, owner: "alice" }, daysAgo(2));
    expect(await table("sessions")).toHaveLength(1);
    await ageSession(parts, id, 3);
    await retention.deleteSession({ id, owner: "alice" }, daysAgo(2));
    expect([await table("sessions"), await table("agent_logs"), await table("messages")]).toEqual([[], [], []]);
  });

  test("running jobs are listed in pages by id", async () => {
    const parts = await openParts(open);
    const running = [1, 2, 3].map(() => endedJob(RUNNING));
    await insertJobs(parts, ...running, endedJob());
    const first = await parts.orphanedJobs.running("", 2);
    const { id, kind, owner, agent_type, session_id, fencing_token } = running[0] ?? endedJob();
    const left = { attempts: 1, timeline: null };
    expect(first[0]).toEqual({ id, kind, owner, agent_type, session_id, fencing_token, ...left });
    const second = await parts.orphanedJobs.running(first.at(-1)?.id ?? "", 2);
    expect([...first, ...second].map((row) => row.id)).toEqual(idsOf(running));
  });

  test("of the given jobs those with a terminal status are ended", async () => {
    const parts = await openParts(open);
    const ended = (["completed", "failed", "cancelled"] as const).map((status) => endedJob({ status }));
    const running = endedJob(RUNNING);
    await insertJobs(parts, ...ended, running);
    const asked = [...ended, running].map(({ id }) => id);
    expect((await parts.orphanedJobs.ended([...asked, newId()])).sort()).toEqual(idsOf(ended));
  });

  test("an orphaned job is taken over unless it was started or ended since its row was read", async () => {
    const parts = await openParts(open);
    const { table, jobs, orphanedJobs } = parts;
    const payload = jobPayload();
    await jobs.start(payload, 1);
    const [read] = await orphanedJobs.running("", 10);
    if (read === undefined) throw new Error("the job is not running");
    await jobs.start(payload, 2);
    expect(await orphanedJobs.takeOver(read, 9)).toBe(false);
    expect(await orphanedJobs.takeOver({ ...read, fencing_token: 2 }, 9)).toBe(true);
    expect(await table("agent_logs").select("fencing_token", "worker", "attempts")).toEqual([
      { fencing_token: 9, worker: "worker-b", attempts: 2 },
    ]);
    expect(await jobs.start(payload, 8)).toEqual({ kind: "stale" });
  });
}
