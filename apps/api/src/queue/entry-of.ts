/** What a job leaves in Redis beside its queue's entry: the values that the scripts on the owner index take. */
import { type JobPayload, UNENDED_JOB_TTL_SECONDS } from "@agent-paas/shared/contract/jobs.ts";
import { type SplitPayload, splitPayload } from "@agent-paas/shared/contract/large-fields.ts";
import { encodeOwnerEntry, type OwnerEntry } from "@agent-paas/shared/redis/owner-index.ts";

/** What BullMQ, the index and the session queue keep for every job, roughly. */
const OVERHEAD_BYTES = 1_024;

/** A job as Redis will keep it. */
export type JobParts = {
  readonly queued: SplitPayload["queued"];
  /** Nothing of it is stored beside the queue's entry. */
  readonly isSmall: boolean;
  readonly values: {
    readonly owner: string;
    readonly job_id: string;
    readonly bytes: number;
    readonly stored_ttl: number;
    readonly upload_bytes: Buffer | "";
    /** The large fields, name and JSON in turn. */
    readonly rest: readonly string[];
  };
  readonly ownerEntry: string;
};

/** `besides`: further texts that are stored for the job, such as its new session. */
export function partsOf(payload: JobPayload, upload: Buffer | undefined, besides = ""): JobParts {
  const { queued, large, bytes: fieldBytes } = splitPayload(payload);
  const { owner, job_id: jobId, session_id: sessionId, agent_type: agentType } = payload;
  const bytes = OVERHEAD_BYTES + fieldBytes + (upload?.length ?? 0) + Buffer.byteLength(besides);
  const isSmall = large.size === 0 && upload === undefined;
  const stored: OwnerEntry["stored"] = isSmall ? "nothing" : large.has("metadata") ? "metadata" : "other";
  return {
    queued,
    isSmall,
    values: {
      ...{ owner, job_id: jobId, bytes },
      stored_ttl: UNENDED_JOB_TTL_SECONDS,
      upload_bytes: upload ?? "",
      rest: [...large].flat(),
    },
    ownerEntry: encodeOwnerEntry({ jobId, bytes, stored, sessionId, agentType }),
  };
}
