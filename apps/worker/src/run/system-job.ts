/**
 * System jobs: jobs of the platform itself, without an agent. They are queued, retried, cancelled and stored like any
 * job, and publish events. Their `agent_type` contains a dot, which no agent id may.
 */
import type { AgentRun } from "@agent-paas/agents/agent/agent.ts";
import type { Journal } from "@agent-paas/agents/job/journal.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";

export type SystemJobContext = {
  /** Aborts when the run must stop: `AbortReason` lists the reasons. */
  readonly signal: AbortSignal;
  readonly journal: Journal;
  readonly logger: Logger;
};

/** Starts one run of a system job. To fail, it throws a `PlatformError`; a retryable one is retried. */
export type SystemJob = (payload: JobPayload, context: SystemJobContext) => AgentRun;

/** By `agent_type`. */
export type SystemJobs = ReadonlyMap<string, SystemJob>;
