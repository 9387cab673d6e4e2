/** What a job leaves in Redis: the values that the accept script takes. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { splitPayload } from "@agent-paas/shared/contract/large-fields.ts";
import { encodeOwnerEntry, LEAST_ENTRY_BYTES, type OwnerEntry } from "@agent-paas/shared/redis/owner-index.ts";

/** A job as Redis will keep it. */
export type JobParts = {
  /** The queue's entry, JSON. */
  readonly data: string;
  /** What the job counts against its owner's share. */
  readonly bytes: number;
  readonly owner_entry: string;
  /** The large fields, name and JSON in turn. */
  readonly rest: readonly string[];
};

/** `besides`: further texts that are stored for the job, such as its new session. */
export function partsOf(payload: JobPayload, upload: Buffer | undefined, besides: string): JobParts {
  const { data, large, bytes: payloadBytes } = splitPayload(payload);
  const { job_id: jobId, session_id: sessionId, agent_type: agentType } = payload;
  const bytes = LEAST_ENTRY_BYTES + payloadBytes + (upload?.length ?? 0) + Buffer.byteLength(besides);
  const isSmall = large.size === 0 && upload === undefined;
  const stored: OwnerEntry["stored"] = isSmall ? "nothing" : large.has("metadata") ? "metadata" : "other";
  return {
    data,
    bytes,
    owner_entry: encodeOwnerEntry({ jobId, bytes, stored, sessionId, agentType }),
    rest: [...large].flat(),
  };
}
