/** I1, I3 and I4 in the rows of one job: it ended once, with the answer that the model gave and its client received. */
import type { Recorder } from "../findings.ts";
import { shownAfter } from "../sse-frames.ts";
import { isTerminal, type JobEvidence } from "./job-evidence.ts";
import { framesOf } from "./streams.ts";

/** The platform may fail a job with `worker_lost` after this many attempts. */
const GIVEN_UP_AFTER_ATTEMPTS = 5;

/** The model's stamps: the time at which it sent each token. */
const STAMP = /⟨([\d.]+)⟩/g;

export const withoutStamps = (text: string): string => text.replace(STAMP, "");
export const stampsOf = (text: string): number[] => [...text.matchAll(STAMP)].map(([, at]) => Number(at));

export function checkRow({ transcript, jobId: job, row, messages }: JobEvidence, recorder: Recorder): void {
  const { label, expected, kind } = transcript;
  const about = { job, label };
  if (row === undefined || !isTerminal(row.status)) {
    recorder.incident("lost", about, row === undefined ? "has no row" : `the row's status is ${row.status}`);
    return;
  }
  recorder.count("ended");
  const { mayFailWith } = expected;
  const isGivenUp = row.error_code === "worker_lost" && row.attempts >= GIVEN_UP_AFTER_ATTEMPTS;
  if (isGivenUp && mayFailWith === undefined) recorder.count("given up");
  else if (row.status === "failed" && row.error_code === mayFailWith) recorder.count(`failed: ${mayFailWith}`);
  else if (expected.status === "any" ? row.status === "failed" : row.status !== expected.status) {
    recorder.incident("failed", about, `${row.status} ${row.error_code ?? ""}, expected ${expected.status}`);
  }

  const wrongText = (what: string) => recorder.incident("wrong text", about, what);
  const content = row.result === null ? "" : String(JSON.parse(row.result).content);
  const plain = withoutStamps(content);
  if (row.status === "completed" ? plain !== expected.answer : !expected.answer.startsWith(plain))
    wrongText(`the row holds ${excerpt(plain)}, expected ${excerpt(expected.answer)}`);
  const received = transcript.polled === null ? shownAfter(framesOf(transcript)) : (transcript.polled.content ?? "");
  if (received !== content) wrongText(`the client received ${excerpt(received)}, the row holds ${excerpt(content)}`);

  for (const role of ["user", "assistant"]) {
    const count = messages.filter((message) => message.role === role).length;
    if (count > 1) recorder.incident("rows doubled", about, `${count} messages of the ${role}`);
  }
  if (kind === "execute") return;
  const [asked, answered] = ["user", "assistant"].map((role) => messages.find((message) => message.role === role));
  if (asked === undefined) wrongText("the user's message is missing");
  if ((answered?.content ?? "") !== content) wrongText("the assistant's message differs from the job's result");
}

function excerpt(text: string): string {
  return JSON.stringify(text.length <= 80 ? text : `${text.slice(0, 40)}…${text.slice(-40)}`);
}
