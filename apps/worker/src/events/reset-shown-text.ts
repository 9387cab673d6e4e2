import { type JobEventWriter, SEQ_SKIP_PER_ATTEMPT } from "./job-event-writer.ts";

/**
 * Publishes a `reset`, so that clients discard what they show of earlier attempts: no part of it becomes the result.
 * @param seq the last `seq` of the log; earlier attempts may have published events that the log has lost.
 */
export function resetShownText(writer: JobEventWriter, seq: number): void {
  writer.skipTo(seq + SEQ_SKIP_PER_ATTEMPT);
  writer.append({ event: "message", data: { content: "", type: "reset" } });
}
