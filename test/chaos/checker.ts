/**
 * Judges a run by what it has left. Shares no code with the product: it knows the contract (DESIGN), reads with its own
 * readers, and compares what the clients saw, what the rows say, what the event logs hold and what the model was asked.
 */

import { checkConversations } from "./checks/conversations.ts";
import { checkEffects } from "./checks/effects.ts";
import { checkFences } from "./checks/fences.ts";
import { checkGrowth } from "./checks/growth.ts";
import { type CaseFile, isTerminal } from "./checks/job-evidence.ts";
import { checkRow } from "./checks/rows.ts";
import { checkStream } from "./checks/streams.ts";
import type { Evidence } from "./evidence.ts";
import { createFindings, type Findings } from "./findings.ts";

/** The first word of what was asked. */
const labelOf = (text: string): string => text.split(" ", 1)[0] ?? "";

export function check(evidence: Evidence): Findings {
  const { findings, notebook } = createFindings();
  const { entries, jobs, messages, steps, logs, calls, effects, left } = evidence;
  const [rowsOf, messagesOf, stepsOf] = [
    Map.groupBy(jobs, ({ task }) => labelOf(task)),
    Map.groupBy(messages, ({ job_id }) => job_id),
    Map.groupBy(steps, ({ job_id }) => job_id),
  ];
  const callsOf = Map.groupBy(calls, ({ last_user }) => labelOf(last_user));
  const effectsOf = Map.groupBy(effects, (line) => labelOf(line).replace(/-[a-z]$/, ""));
  const transcripts = entries.flatMap((entry) => (entry.type === "transcript" ? [entry.value] : []));

  for (const [label, same] of Map.groupBy(transcripts, (transcript) => transcript.label)) {
    const named = new Set(same.flatMap(({ jobIds }) => jobIds));
    if (named.size > 1) notebook.found("twice", { label }, `one question, jobs ${[...named].join(", ")}`);
  }
  notebook.count("jobs", jobs.length);
  const files = transcripts.flatMap((transcript): CaseFile[] => {
    const { label, jobIds, rejected } = transcript;
    const rows = rowsOf.get(label) ?? [];
    const [jobId] = jobIds;
    notebook.count("refused for a while", Number(transcript.refusals > 0));
    if (jobId === undefined) {
      notebook.found("rejected", { label }, rejected ?? "was never accepted");
      return [];
    }
    notebook.count("accepted");
    if (rows.length > 1) notebook.found("twice", { job: jobId, label }, `one question, ${rows.length} rows`);
    const row = rows.find(({ id }) => id === jobId);
    const own = { messages: messagesOf.get(jobId) ?? [], steps: stepsOf.get(jobId) ?? [], log: logs.get(jobId) };
    return [{ transcript, jobId, row, ...own, calls: callsOf.get(label) ?? [], effects: effectsOf.get(label) ?? [] }];
  });
  for (const file of files) {
    checkRow(file, notebook);
    checkStream(file, notebook);
    checkFences(file, notebook);
    checkEffects(file, notebook);
  }
  checkConversations(files, notebook);
  checkGrowth(entries, notebook);

  for (const what of left) notebook.found("left running", {}, what);
  for (const { id, status, task } of jobs) {
    if (!isTerminal(status))
      notebook.found("left running", { job: id, label: labelOf(task) }, `its row says ${status}`);
  }
  for (const entry of entries) {
    if (entry.type === "misfortune") notebook.found("misfortunes", {}, entry.value);
    if (entry.type === "timing") notebook.took("redis recovery", entry.value.ms);
    if (entry.type === "fault") notebook.count("faults", Number(!["start", "resume"].includes(entry.value.kind)));
  }
  return findings;
}
