import type { JobRow, JournalRow, MessageRow, ModelCall } from "../evidence.ts";
import type { Frame } from "../sse-frames.ts";
import type { Transcript } from "../transcript.ts";

/** Everything that belongs to one question. */
export type CaseFile = {
  readonly transcript: Transcript;
  readonly jobId: string;
  readonly row: JobRow | undefined;
  readonly messages: readonly MessageRow[];
  readonly steps: readonly JournalRow[];
  readonly log: readonly Frame[] | undefined;
  readonly calls: readonly ModelCall[];
  readonly effects: readonly string[];
};

const TERMINAL = ["completed", "failed", "cancelled"];

export const isTerminal = (status: string): boolean => TERMINAL.includes(status);
