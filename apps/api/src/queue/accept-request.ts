/** What the accept path takes and returns. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { PendingSession } from "./pending-session.ts";

export type OnBusy = "queue" | "reject" | "interrupt";

export type Idempotency = { readonly key: string; readonly bodyHash: string };

export type AcceptRequest = {
  readonly payload: JobPayload;
  /** The session that the job begins; null for a job in an existing session or in none. */
  readonly newSession: PendingSession | null;
  readonly onBusy: OnBusy;
  readonly idempotency: Idempotency | null;
  /** Why there is no such job, unless its Idempotency-Key has one already. Default: nothing. */
  readonly refusal?: PlatformError | null;
  /** A text too large for the payload; it is stored under a key of its own until the job has read it. */
  readonly upload?: Buffer;
  /** How many attempts the job has; default: as many as a job of an agent. */
  readonly tries?: number;
};

export type Accepted = {
  /** False: the Idempotency-Key was used before, and this is the job that it made. */
  readonly isNew: boolean;
  readonly jobId: string;
  readonly sessionId: string | null;
};

/**
 * Throws `queue_unavailable`, `queue_full`, `session_busy`, `session_not_found` or `SessionExists`; then nothing was
 * accepted.
 */
export type Accept = (request: AcceptRequest) => Promise<Accepted>;
