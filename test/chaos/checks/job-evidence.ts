/** Everything that is known of one accepted question and its job. */
import type { JobRow, JournalRow, MessageRow, ModelCall } from "../evidence.ts";
import type { Frame } from "../sse-frames.ts";
import type { Transcript } from "../transcript.ts";

export type JobEvidence = {
  readonly transcript: Transcript;
  readonly jobId: string;
  readonly row: JobRow | undefined;
  readonly messages: readonly MessageRow[];
  readonly journal: readonly JournalRow[];
  /** Undefined if Redis no longer has the event log. */
  readonly log: readonly Frame[] | undefined;
  readonly calls: readonly ModelCall[];
  readonly effects: readonly string[];
};

const TERMINAL = ["completed", "failed", "cancelled"];

export const isTerminal = (status: string): boolean => TERMINAL.includes(status);
