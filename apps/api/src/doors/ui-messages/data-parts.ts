/** Thoughts that the protocol has no part for. */
import type { ThoughtEvent } from "@agent-paas/shared/contract/events.ts";
import { type Chunk, frame } from "./chunks.ts";

type DataChunk = Extract<Chunk, { readonly data: unknown }>;

/** What was found and delegated stays in the message; what the job does at the moment is told and forgotten. */
export function dataPartOf({ ...data }: ThoughtEvent["data"]): string {
  const type = `data-${data.type}` as DataChunk["type"];
  if (data.type === "retrieval") return frame({ type, id: JSON.stringify([data.document_id, data.marker]), data });
  if (data.type === "delegate" && data.status !== "event") {
    // One that is handed over to is no step, and each such part stays.
    return frame({ type, ...(data.step === undefined ? {} : { id: String(data.step) }), data });
  }
  return frame({ type, data, transient: true });
}
