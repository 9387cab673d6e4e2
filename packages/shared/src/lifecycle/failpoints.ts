/**
 * Failpoints: named moments in the life of a job. A crash leaves another intermediate state after each of them, so the
 * chaos suite kills workers there. A failpoint is a message on a diagnostics channel; without a subscriber it costs one
 * check of a flag.
 */
import { channel } from "node:diagnostics_channel";

export type Failpoint =
  /** The attempt has claimed the job in Redis; the job's row may not be written yet. */
  | "claimed"
  /** A finalizer has claimed a job that no worker runs; its row knows nothing of the claim yet. */
  | "taken_over"
  /** A request to the model is about to be sent. */
  | "model_call"
  /** A tool call has its journal entry, if it needs one, and has not been made. */
  | "tool_started"
  /** A tool call has been made; its journal entry is not finished. */
  | "effect_done"
  /** The journal entry of a tool call is finished. */
  | "journaled"
  /** It is written that the job waits for people; what it has asked is not shown. */
  | "suspension_written"
  /** It is written that the job waits for people, and what it has asked is shown; a worker still holds it. */
  | "suspended"
  /** The transaction that writes the terminal state has written its statements and not committed. */
  | "message_written"
  /** The terminal state is committed; the terminal event is not published. */
  | "state_written"
  /** The terminal event is published; the next job of the session is not promoted. */
  | "end_published"
  /** The job is finalized; BullMQ still holds it as active. */
  | "before_completion";

export const FAILPOINT_CHANNEL = "agent-paas:failpoint";

const failpoints = channel(FAILPOINT_CHANNEL);

export function failpoint(name: Failpoint, jobId: string): void {
  if (failpoints.hasSubscribers) failpoints.publish({ name, jobId });
}

/** The failpoint as a callback; undefined where nobody listens, for callers whom a callback costs more than nothing. */
export const atFailpoint = (name: Failpoint, jobId: string): (() => void) | undefined =>
  failpoints.hasSubscribers ? () => failpoint(name, jobId) : undefined;
