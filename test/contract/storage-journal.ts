import type { JournalRow } from "@agent-paas/shared/db/rows.ts";
import { expect, test } from "vitest";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { type OpenStorage, openParts } from "./storage-parts.ts";

const entryOf = (job_id: string, step_no: number, fields: Partial<JournalRow> = {}): JournalRow => ({
  job_id,
  step_no,
  step_key: `key ${step_no}`,
  kind: "tool",
  input: '"input"',
  status: "finished",
  value: '"value"',
  fencing_token: 1,
  started_at: new Date().toISOString(),
  finished_at: new Date().toISOString(),
  ...fields,
});

/** I5 within a job, I4 between its runs. */
export function journalContract(open: OpenStorage): void {
  test("the entries of a job are loaded in the order of their beginnings, without those of other jobs", async () => {
    const { jobs, journal } = await openParts(open);
    const [payload, other] = [jobPayload(), jobPayload()];
    for (const each of [payload, other]) await jobs.start(each, 1);
    for (const step of [2, 1]) expect(await journal.save(entryOf(payload.job_id, step))).toBe(true);
    await journal.save(entryOf(other.job_id, 1));
    expect(await journal.load(payload.job_id)).toMatchObject([
      { job_id: payload.job_id, step_no: 1 },
      { job_id: payload.job_id, step_no: 2 },
    ]);
  });

  test("a finished entry replaces the started one of the same key and keeps its number", async () => {
    const { jobs, journal } = await openParts(open);
    const { job_id, ...payload } = jobPayload();
    await jobs.start({ job_id, ...payload }, 1);
    await journal.save(entryOf(job_id, 1, { status: "started", value: null, finished_at: null }));
    const finished = entryOf(job_id, 5, { step_key: "key 1" });
    await journal.save(finished);
    const { status, value, finished_at } = finished;
    expect(await journal.load(job_id)).toMatchObject([{ step_no: 1, status, value, finished_at }]);
  });

  test("an entry is refused when the job has a higher fencing token", async () => {
    const { jobs, journal } = await openParts(open);
    const payload = jobPayload();
    await jobs.start(payload, 1);
    await jobs.start(payload, 2);
    expect(await journal.save(entryOf(payload.job_id, 1))).toBe(false);
    expect(await journal.load(payload.job_id)).toEqual([]);
    expect(await journal.save(entryOf(payload.job_id, 1, { fencing_token: 2 }))).toBe(true);
  });

  test("an entry is refused when the job has ended", async () => {
    const { jobs, journal } = await openParts(open);
    const payload = jobPayload();
    await jobs.start(payload, 1);
    await jobs.end(payload, 1, jobEnd("answer"));
    expect(await journal.save(entryOf(payload.job_id, 1))).toBe(false);
    expect(await journal.load(payload.job_id)).toEqual([]);
  });
}
