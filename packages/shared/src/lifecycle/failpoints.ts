/**
 * The moments of a job after each of which a crash leaves something else behind, for whoever watches a process from
 * outside its code: a diagnostics channel, which costs one look at a flag while nobody has subscribed. The chaos suite
 * kills workers there.
 */
import { channel } from "node:diagnostics_channel";

export type Failpoint =
  /** The attempt owns the job in Redis; its row may not say so yet. */
  | "claimed"
  /** The model is about to be asked. */
  | "model_call"
  /** A tool call is written down where it must be, and not made. */
  | "tool_started"
  /** It was made, and is not written down as finished. */
  | "effect_done"
  | "journaled"
  /** Inside the transaction that ends the job. */
  | "message_written"
  /** Behind it; the end is not told. */
  | "state_written"
  /** The end is told; the session's next job is not woken. */
  | "end_published"
  /** The queue still holds the job as running. */
  | "before_completion";

export const FAILPOINT_CHANNEL = "agent-paas:failpoint";

const failpoints = channel(FAILPOINT_CHANNEL);

export function failpoint(name: Failpoint, jobId: string): void {
  if (failpoints.hasSubscribers) failpoints.publish({ name, jobId });
}
