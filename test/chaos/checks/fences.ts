/** I4: nothing in the rows, the log or the text of a job is of an attempt that had lost it by then. */
import type { Notebook } from "../findings.ts";
import type { CaseFile } from "./job-evidence.ts";
import { stampsOf } from "./rows.ts";
import { checkNumbers } from "./streams.ts";

/** The model's clock and its log agree to this, ms. */
const CLOCK_MS = 50;

export function checkFences(file: CaseFile, notebook: Notebook): void {
  const { transcript, jobId: job, row, log, steps, messages, calls } = file;
  const about = { job, label: transcript.label };
  const stale = (what: string) => notebook.found("stale writes", about, what);

  // Clients are answered from the row then; it takes an hour, or a Redis that lost what it had.
  if (log === undefined) notebook.count("logs gone");
  else {
    checkNumbers(log, { ...about, log }, notebook, "log");
    const end = log.findIndex(({ event }) => event === "done");
    if (end !== -1 && end !== log.length - 1) stale(`${log.length - 1 - end} events in the log behind done`);
    if (end === -1) notebook.found("without end", about, "no done in the log");
    else if (row !== undefined && row.last_seq !== log[end]?.id)
      stale(`done is ${log[end]?.id}, the row says ${row.last_seq}`);
    const attempts = log.filter(({ data }) => data.type === "retry").map(({ data }) => Number(data.attempt));
    if (attempts.some((attempt, at) => attempt <= (attempts[at - 1] ?? 1)))
      stale(`attempts ${attempts.join(", ")} in the log`);
  }

  const finished = steps.filter(({ finished_at }) => finished_at !== null);
  const inTime = finished.toSorted((a, b) => ((a.finished_at ?? "") < (b.finished_at ?? "") ? -1 : 1));
  if (inTime.some(({ fencing_token }, at) => fencing_token < (inTime[at - 1]?.fencing_token ?? 0)))
    stale("a step of a former attempt");
  for (const { step_no, fencing_token, finished_at } of finished) {
    if (row?.finished_at != null && (finished_at ?? "") > row.finished_at)
      stale(`step ${step_no} is younger than the end`);
    if (row !== undefined && fencing_token > row.fencing_token)
      stale(`step ${step_no} is of fencing token ${fencing_token}, the row of ${row.fencing_token}`);
  }
  for (const { role, created_at } of messages) {
    if (row?.finished_at != null && created_at > row.finished_at)
      stale(`the ${role}'s message is younger than the end`);
  }

  // All of the answer was said in one answer of the model, not put together of two attempts'.
  const stamps = stampsOf(row?.result ?? "");
  const [first, last] = [stamps[0], stamps.at(-1)];
  if (first === undefined || last === undefined || calls.length === 0) return;
  const isOfOne = calls.some(
    ({ at_ms, ended_at_ms }) => at_ms - CLOCK_MS <= first && last <= (ended_at_ms ?? Infinity) + CLOCK_MS,
  );
  if (!isOfOne) stale("its text is of more than one answer of the model");
}
