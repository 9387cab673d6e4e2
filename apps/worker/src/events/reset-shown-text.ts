import { type JobEventWriter, SEQ_SKIP_PER_ATTEMPT } from "./job-event-writer.ts";

/**
 * Clears what clients show of a job's earlier attempts, of which nothing is kept.
 * @param seq the last one of the log; former attempts may have published more than it holds.
 */
export function takeBackShown(writer: JobEventWriter, seq: number): void {
  writer.skipTo(seq + SEQ_SKIP_PER_ATTEMPT);
  writer.append({ event: "message", data: { content: "", type: "reset" } });
}
