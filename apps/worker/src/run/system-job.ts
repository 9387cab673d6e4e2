/**
 * System jobs: work of the platform's own that lives like a job (queue, attempts, events, cancel, a row) and has no
 * agent. Its id stands in the place of an agent's and has a dot, which no agent's has.
 */
import type { AgentRun } from "@agent-paas/agents/agent/agent.ts";
import type { Journal } from "@agent-paas/agents/job/journal.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";

export type SystemJobContext = {
  /** Aborts when the job is cancelled, out of time or superseded. */
  readonly signal: AbortSignal;
  readonly journal: Journal;
  readonly logger: Logger;
};

/** Throws a `PlatformError` to fail; a retryable one is retried. */
export type SystemJob = (payload: JobPayload, context: SystemJobContext) => AgentRun;

export type SystemJobs = ReadonlyMap<string, SystemJob>;
