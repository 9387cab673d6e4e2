/** The delegation port: how an agent has other registered agents do a part of its job. */
import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import type { AgentEvent, AgentOutcome } from "./events.ts";

export type ChildRequest = {
  /** Names the child within its parent, the same when the job starts over: its journal is kept under it. */
  readonly name: string;
  /** The id of a registered agent. */
  readonly agent: string;
  /** All that the child knows: it does not see the conversation. */
  readonly task: string;
  /** The child's `input.data`. */
  readonly input?: unknown;
  /** Checked by the child's own schema. */
  readonly config?: Readonly<Record<string, unknown>>;
};

export type ChildOutcome = AgentOutcome & {
  /** The text that the child has said. */
  readonly content: string;
};

export type Agents = {
  /** The agents that a job may delegate to. */
  list(): AgentManifest[];
  /**
   * Runs a child on the job's own model, tools, journal and budget, so that its usage and its limits are the job's; yields the
   * child's events. Throws `agent_not_found`, `invalid_config`, `delegation_too_deep`, or what the child throws. When
   * `signal` aborts, the child is stopped, also one that does not heed its signal.
   */
  run(child: ChildRequest, signal: AbortSignal): AsyncGenerator<AgentEvent, ChildOutcome>;
};
