import type { JobEventWriter } from "./job-event-writer.ts";
import { SEQ_SKIP_PER_ATTEMPT } from "./log-order.ts";

/** What the claim found: the number that its events follow, and how many attempts Redis knew of. */
type Found = { readonly fence: number; readonly attempts: number };

/** Publishes a `reset`: clients discard what they show of earlier attempts; no part of it becomes the result. */
export function resetShownText(writer: JobEventWriter, { fence, attempts }: Found): void {
  // Redis has lost the attempts that the row knows of, and with them what they published.
  if (attempts === 0) writer.skipTo(fence + SEQ_SKIP_PER_ATTEMPT);
  writer.append({ event: "message", data: { content: "", type: "reset" } });
}
