/** The delegation port: an agent runs other registered agents as children within its own job. */
import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import type { AgentEvent, AgentOutcome } from "./events.ts";

export type ChildRequest = {
  /**
   * Names the child within its parent. A retry must use the same name, because the child's journal is kept under it.
   */
  readonly name: string;
  /** The id of a registered agent. */
  readonly agent: string;
  /** All that the child is told: it does not see the conversation. */
  readonly task: string;
  /** What the child's model gets behind the task: images and files. Default: none. */
  readonly parts?: readonly MessagePart[];
  /** The child's `input.data`. */
  readonly input?: unknown;
  /** Parsed by the child's own schema. */
  readonly config?: Readonly<Record<string, unknown>>;
};

export type ChildOutcome = AgentOutcome & {
  /** The child's answer text. */
  readonly content: string;
};

export type Agents = {
  /** The agents that a job may delegate to. */
  list(): AgentManifest[];
  /**
   * Runs a child with the job's own model, tools, journal and budget, so that its usage counts as the job's; yields the
   * child's events. Throws `agent_not_found`, `invalid_config`, `delegation_too_deep`, or what the child throws. When
   * `signal` aborts, the run ends at once, even if the child ignores its signal.
   */
  run(child: ChildRequest, signal: AbortSignal): AsyncGenerator<AgentEvent, ChildOutcome>;
};
