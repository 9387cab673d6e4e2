/** I1, I3 and I4 in the rows of one job: it has ended, once, with the answer that its client saw and the model gave. */
import type { Notebook } from "../findings.ts";
import { shownAfter } from "../sse-frames.ts";
import { type CaseFile, isTerminal } from "./job-evidence.ts";
import { framesOf } from "./streams.ts";

/** A job that has lost its worker so often may be given up, as the platform says. */
const GIVEN_UP_AFTER_ATTEMPTS = 5;

/** The model's stamps: when each token was sent. */
const STAMP = /⟨([\d.]+)⟩/g;

export const withoutStamps = (text: string): string => text.replace(STAMP, "");
export const stampsOf = (text: string): number[] => [...text.matchAll(STAMP)].map(([, at]) => Number(at));

export function checkRow(file: CaseFile, notebook: Notebook): void {
  const { transcript, jobId: job, row, messages } = file;
  const { label, expected, kind } = transcript;
  const about = { job, label };
  if (row === undefined || !isTerminal(row.status)) {
    notebook.found("lost", about, row === undefined ? "has no row" : `its row says ${row.status}`);
    return;
  }
  notebook.count("ended");
  const isGivenUp = row.error_code === "worker_lost" && row.attempt >= GIVEN_UP_AFTER_ATTEMPTS;
  if (isGivenUp) notebook.count("given up");
  else if (expected.status === "any" ? row.status === "failed" : row.status !== expected.status) {
    notebook.found("failed", about, `${row.status} ${row.error_code ?? ""}, expected ${expected.status}`);
  }

  const content = row.result === null ? "" : String(JSON.parse(row.result).content);
  const plain = withoutStamps(content);
  if (row.status === "completed" ? plain !== expected.answer : !expected.answer.startsWith(plain)) {
    notebook.found("wrong text", about, `its row says ${excerpt(plain)}, expected ${excerpt(expected.answer)}`);
  }
  const seen = transcript.polled === null ? shownAfter(framesOf(transcript)) : (transcript.polled.content ?? "");
  if (seen !== content)
    notebook.found("wrong text", about, `the client saw ${excerpt(seen)}, its row says ${excerpt(content)}`);

  for (const role of ["user", "assistant"]) {
    const own = messages.filter((message) => message.role === role);
    if (own.length > 1) notebook.found("rows doubled", about, `${own.length} messages of the ${role}`);
  }
  if (kind === "execute") return;
  const [asked, answered] = ["user", "assistant"].map((role) => messages.find((message) => message.role === role));
  if (asked === undefined) notebook.found("wrong text", about, "the user's message is not kept");
  if ((answered?.content ?? "") !== content)
    notebook.found("wrong text", about, "the answer's message is another than its result");
}

function excerpt(text: string): string {
  return JSON.stringify(text.length <= 80 ? text : `${text.slice(0, 40)}…${text.slice(-40)}`);
}
