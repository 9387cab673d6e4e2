/**
 * I5: a tool call that must not be repeated was made at most once, and a call that may have been lost was reported to
 * the model as in doubt. All repetitions of an idempotent call carry one call id, by which the callee can recognise
 * them. Also measures how soon the model's streams were closed after a cancel.
 */
import type { Recorder } from "../findings.ts";
import type { JobEvidence } from "./job-evidence.ts";
import { framesOf } from "./streams.ts";

export function checkEffects(evidence: JobEvidence, recorder: Recorder): void {
  const { transcript, jobId: job, row, effects, log } = evidence;
  const { label, expected } = transcript;
  const about = { job, label };
  const effectsOf = (word: string) => effects.filter((line) => line.startsWith(`${word} `));
  const results = [...framesOf(transcript), ...(log ?? [])].filter(({ data }) => data.type === "tool_result");
  const inDoubt = new Set(
    results.filter(({ data }) => data.status === "in_doubt").map(({ data }) => String(data.call_id ?? data.content)),
  );

  let missing = 0;
  for (const word of expected.once) {
    const times = effectsOf(word).length;
    if (times > 1) recorder.incident("effects doubled", about, `${word}: ${times} times`);
    if (times === 0) missing += 1;
  }
  for (const word of expected.again) {
    const callIds = new Set(effectsOf(word)).size;
    if (callIds > 1) recorder.incident("effects doubled", about, `${word}: under ${callIds} call ids`);
    if (callIds === 0 && row?.status === "completed") recorder.incident("effects missing", about, word);
  }
  recorder.count("effects in doubt", inDoubt.size);
  if (row?.status === "completed" && missing > inDoubt.size) {
    recorder.incident("effects missing", about, `${missing} without effect, ${inDoubt.size} reported in doubt`);
  }
  timeCancel(evidence, recorder);
}

function timeCancel({ transcript: { cancelledAt }, calls }: JobEvidence, recorder: Recorder): void {
  if (cancelledAt === null) return;
  recorder.count("cancels");
  for (const { at_ms, ended_at_ms } of calls) {
    if (at_ms < cancelledAt && ended_at_ms !== null && ended_at_ms > cancelledAt) {
      recorder.time("upstream closed", ended_at_ms - cancelledAt);
    }
  }
}
