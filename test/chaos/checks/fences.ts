/** I4: nothing in a job's rows, log or text was written by an attempt that had already lost the job. */
import type { Recorder } from "../findings.ts";
import type { Frame } from "../sse-frames.ts";
import type { JobEvidence } from "./job-evidence.ts";
import { stampsOf } from "./rows.ts";
import { checkNumbers } from "./streams.ts";

/** How far the model's stamps and its call log may differ, ms. */
const CLOCK_TOLERANCE_MS = 50;

export function checkFences(evidence: JobEvidence, recorder: Recorder): void {
  const { transcript, jobId: job, log } = evidence;
  const stale = (what: string) => recorder.incident("stale writes", { job, label: transcript.label }, what);
  // A log disappears after an hour, or with the data of a lost Redis; clients are then answered from the row.
  if (log === undefined) recorder.count("logs gone");
  else checkLog(evidence, log, recorder, stale);
  checkJournal(evidence, stale);
  checkText(evidence, stale);
}

type Report = (what: string) => void;

function checkLog(
  { transcript, jobId: job, row }: JobEvidence,
  log: readonly Frame[],
  recorder: Recorder,
  stale: Report,
) {
  const about = { job, label: transcript.label };
  checkNumbers(log, { ...about, log }, recorder, "log");
  const end = log.findIndex(({ event }) => event === "done");
  if (end !== -1 && end !== log.length - 1) stale(`the log holds ${log.length - 1 - end} events after done`);
  if (end === -1) recorder.incident("without end", about, "the log holds no done");
  else if (row !== undefined && row.last_seq !== log[end]?.id)
    stale(`done has seq ${log[end]?.id}, the row's last_seq is ${row.last_seq}`);
  const attempts = log.filter(({ data }) => data.type === "retry").map(({ data }) => Number(data.attempt));
  if (attempts.some((attempt, at) => attempt <= (attempts[at - 1] ?? 1)))
    stale(`the log holds the attempts ${attempts.join(", ")}`);
}

function checkJournal({ row, journal, messages }: JobEvidence, stale: Report): void {
  const finished = journal.filter(({ finished_at }) => finished_at !== null);
  const byTime = finished.toSorted((a, b) => ((a.finished_at ?? "") < (b.finished_at ?? "") ? -1 : 1));
  if (byTime.some(({ fencing_token }, at) => fencing_token < (byTime[at - 1]?.fencing_token ?? 0)))
    stale("a journal entry has a lower fencing token than the entry before it");
  for (const { step_no, fencing_token, finished_at } of finished) {
    if (row?.finished_at != null && (finished_at ?? "") > row.finished_at)
      stale(`journal entry ${step_no} is younger than the job's end`);
    if (row !== undefined && fencing_token > row.fencing_token)
      stale(`journal entry ${step_no} has fencing token ${fencing_token}, the row has ${row.fencing_token}`);
  }
  for (const { role, created_at } of messages) {
    if (row?.finished_at != null && created_at > row.finished_at)
      stale(`the ${role}'s message is younger than the job's end`);
  }
}

/** All tokens of a result were sent within one call of the model, so no text mixes two attempts. */
function checkText({ row, calls }: JobEvidence, stale: Report): void {
  const stamps = stampsOf(row?.result ?? "");
  const [first, last] = [stamps[0], stamps.at(-1)];
  if (first === undefined || last === undefined || calls.length === 0) return;
  const isOfOneCall = calls.some(
    ({ at_ms, ended_at_ms }) =>
      at_ms - CLOCK_TOLERANCE_MS <= first && last <= (ended_at_ms ?? Infinity) + CLOCK_TOLERANCE_MS,
  );
  if (!isOfOneCall) stale("the result's text comes from more than one call of the model");
}
