/**
 * Evaluates a finished chaos run. It shares no code with the product: it knows the documented contract, reads with its
 * own readers, and compares what the clients received, what the rows hold, what the event logs hold and what the model
 * was asked.
 */

import { checkConversations } from "./checks/conversations.ts";
import { checkEffects } from "./checks/effects.ts";
import { checkFences } from "./checks/fences.ts";
import { checkGrowth } from "./checks/growth.ts";
import { isTerminal, type JobEvidence } from "./checks/job-evidence.ts";
import { checkRow } from "./checks/rows.ts";
import { checkStream } from "./checks/streams.ts";
import type { Evidence } from "./evidence.ts";
import { createRecorder, type Findings, type Recorder } from "./findings.ts";

/** Every text that is asked begins with the label of its question. */
const labelOf = (text: string): string => text.split(" ", 1)[0] ?? "";

export function check(evidence: Evidence): Findings {
  const { findings, recorder } = createRecorder();
  recorder.count("jobs", evidence.jobs.length);
  const jobs = collectJobs(evidence, recorder);
  for (const job of jobs) {
    checkRow(job, recorder);
    checkStream(job, recorder);
    checkFences(job, recorder);
    checkEffects(job, recorder);
  }
  checkConversations(jobs, recorder);
  checkGrowth(evidence.entries, recorder);
  checkLeftovers(evidence, recorder);
  checkRun(evidence, recorder);
  return findings;
}

/** Collects the evidence of each accepted question; reports rejected questions and those with several jobs. */
function collectJobs(evidence: Evidence, recorder: Recorder): JobEvidence[] {
  const { entries, jobs, messages, journal, logs, calls, effects } = evidence;
  const rowsOf = Map.groupBy(jobs, ({ task }) => labelOf(task));
  const messagesOf = Map.groupBy(messages, ({ job_id }) => job_id);
  const journalOf = Map.groupBy(journal, ({ job_id }) => job_id);
  const callsOf = Map.groupBy(calls, ({ last_user }) => labelOf(last_user));
  const effectsOf = Map.groupBy(effects, (line) => labelOf(line).replace(/-[a-z]$/, ""));
  const transcripts = entries.flatMap((entry) => (entry.type === "transcript" ? [entry.value] : []));

  for (const [label, ofQuestion] of Map.groupBy(transcripts, (transcript) => transcript.label)) {
    const jobIds = new Set(ofQuestion.flatMap((transcript) => transcript.jobIds));
    if (jobIds.size > 1) recorder.incident("twice", { label }, `one question has the jobs ${[...jobIds].join(", ")}`);
  }
  return transcripts.flatMap((transcript): JobEvidence[] => {
    const { label, jobIds, rejected } = transcript;
    const rows = rowsOf.get(label) ?? [];
    const [jobId] = jobIds;
    recorder.count("refused for a while", Number(transcript.refusals > 0));
    if (jobId === undefined) {
      recorder.incident("rejected", { label }, rejected ?? "was never accepted");
      return [];
    }
    recorder.count("accepted");
    if (rows.length > 1) recorder.incident("twice", { job: jobId, label }, `one question has ${rows.length} rows`);
    return [
      {
        transcript,
        jobId,
        row: rows.find(({ id }) => id === jobId),
        messages: messagesOf.get(jobId) ?? [],
        journal: journalOf.get(jobId) ?? [],
        log: logs.get(jobId),
        calls: callsOf.get(label) ?? [],
        effects: effectsOf.get(label) ?? [],
      },
    ];
  });
}

/** Nothing may run once the run has settled, not even a job that no client asked for. */
function checkLeftovers({ leftRunning, jobs }: Evidence, recorder: Recorder): void {
  for (const what of leftRunning) recorder.incident("left running", {}, what);
  for (const { id, status, task } of jobs) {
    if (isTerminal(status)) continue;
    recorder.incident("left running", { job: id, label: labelOf(task) }, `the row's status is ${status}`);
  }
}

const TIMED = {
  redis: "redis recovery",
  storage: "storage recovery",
  link: "link recovery",
  flood: "later than when idle",
} as const;

/** The ends of faults, which are not counted as faults. */
const ENDINGS: readonly string[] = ["start", "resume", "free", "heal"];

/** Takes over what the run itself recorded: its incidents, times and faults. */
function checkRun({ entries }: Evidence, recorder: Recorder): void {
  for (const entry of entries) {
    if (entry.type === "incident") recorder.incident("incidents", {}, entry.value);
    if (entry.type === "timing") recorder.time(TIMED[entry.value.what], entry.value.ms);
    if (entry.type === "fault") recorder.count("faults", Number(!ENDINGS.includes(entry.value.kind)));
  }
}
