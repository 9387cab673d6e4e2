/**
 * I5: a tool that must not be called twice was not, and if it may have been called in vain the model was told; of one that
 * may be, all calls had one name, by which whoever it calls can tell. Takes the times of cancels along.
 */
import type { Notebook } from "../findings.ts";
import type { CaseFile } from "./job-evidence.ts";
import { framesOf } from "./streams.ts";

export function checkEffects(file: CaseFile, notebook: Notebook): void {
  const { transcript, jobId: job, row, effects, calls, log } = file;
  const { label, expected, cancelledAt } = transcript;
  const about = { job, label };
  const namesOf = (word: string) => effects.filter((line) => line.startsWith(`${word} `));
  const told = [...framesOf(transcript), ...(log ?? [])].filter(({ data }) => data.type === "tool_result");
  const inDoubt = new Set(
    told.filter(({ data }) => data.status === "in_doubt").map(({ data }) => String(data.call_id ?? data.content)),
  );

  let missing = 0;
  for (const word of expected.once) {
    const times = namesOf(word).length;
    if (times > 1) notebook.found("effects doubled", about, `${word}: ${times} times`);
    if (times === 0) missing += 1;
  }
  for (const word of expected.again) {
    const names = new Set(namesOf(word)).size;
    if (names > 1) notebook.found("effects doubled", about, `${word}: under ${names} names`);
    if (names === 0 && row?.status === "completed") notebook.found("effects missing", about, word);
  }
  notebook.count("effects in doubt", inDoubt.size);
  if (row?.status === "completed" && missing > inDoubt.size) {
    notebook.found("effects missing", about, `${missing} without effect, ${inDoubt.size} reported in doubt`);
  }

  if (cancelledAt === null) return;
  notebook.count("cancels");
  for (const { at_ms, ended_at_ms } of calls) {
    if (at_ms < cancelledAt && ended_at_ms !== null && ended_at_ms > cancelledAt) {
      notebook.took("upstream closed", ended_at_ms - cancelledAt);
    }
  }
}
