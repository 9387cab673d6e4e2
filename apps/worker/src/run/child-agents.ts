/** Delegation: agents that run as parts of another agent's job, on its model, tools, journal and budget. */
import type { AgentClass, AgentContext, AgentInput } from "@agent-paas/agents/agent/agent.ts";
import { concludeAnswer } from "@agent-paas/agents/agent/answer-end.ts";
import type { Agents, ChildOutcome, ChildRequest } from "@agent-paas/agents/agent/delegation.ts";
import { type AgentEvent, applyMessage } from "@agent-paas/agents/agent/events.ts";
import { createWholeCharacters } from "@agent-paas/agents/agent/whole-characters.ts";
import { Suspended } from "@agent-paas/agents/job/inquiries.ts";
import { type Steps, statusOfFailure } from "@agent-paas/agents/job/steps.ts";
import { untilAborted } from "@agent-paas/agents/job/until-aborted.ts";
import { createTurnWatch, type TurnWatch } from "@agent-paas/agents/model/last-turn.ts";
import type { AgentManifest } from "@agent-paas/shared/contract/agents.ts";
import type { JobKind } from "@agent-paas/shared/contract/jobs.ts";
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { GrowingText } from "@agent-paas/shared/growing-text.ts";
import { parseConfig } from "./parse-config.ts";

/** The job's own agent is at depth 0. */
const MAX_DEPTH = 2;

export type ChildAgentsOptions = {
  readonly kind: JobKind;
  /** The depth of the agent that delegates. */
  readonly depth: number;
  readonly signal: AbortSignal;
  readonly find: (id: string) => AgentClass | undefined;
  readonly manifests: () => AgentManifest[];
  readonly locale: Locale;
  readonly contextOf: (child: ChildContextRequest) => AgentContext<unknown>;
  /** Is told of each child that runs. */
  readonly steps: Steps;
};

export type ChildContextRequest = {
  readonly name: string;
  readonly task: string;
  readonly config: unknown;
  readonly signal: AbortSignal;
  /** Is told the turns of the child's model. */
  readonly turns: TurnWatch;
  /** Is told of what the child does. */
  readonly steps: Steps;
};

export function createChildAgents(options: ChildAgentsOptions): Agents {
  const { kind, depth, signal, find, manifests, locale, contextOf, steps } = options;
  async function* run(child: ChildRequest, stop: AbortSignal): AsyncGenerator<AgentEvent, ChildOutcome> {
    const agent = find(child.agent);
    if (agent === undefined) {
      throw new PlatformError("agent_not_found", { message: `There is no agent "${child.agent}".` });
    }
    if (depth >= MAX_DEPTH) throw new PlatformError("delegation_too_deep");
    const childSignal = AbortSignal.any([signal, stop]);
    const turns = createTurnWatch();
    const config = parseConfig(agent, child.config ?? {});
    const step = steps.begin({ kind: "delegate", name: child.name, agent: child.agent });
    const ownSteps = step.steps;
    const request = { name: child.name, task: child.task, config, signal: childSignal, turns, steps: ownSteps };
    const context = contextOf(request);
    const events = new agent().run(inputOf(kind, child), context);
    const characters = createWholeCharacters();
    const content = new GrowingText();
    try {
      for (;;) {
        const next = await untilAborted(events.next(), childSignal);
        if (next.done) {
          for (const event of characters.rest()) {
            if (event.event === "message") applyMessage(content, event);
            yield event;
          }
          const outcome = next.value ?? {};
          const finishReason = yield* concludeAnswer(`${content}`, outcome, { turns, locale });
          step.end("completed");
          return { ...outcome, content: `${content}`, ...(finishReason === null ? {} : { finishReason }) };
        }
        const event = characters.show(next.value);
        if (event === null) continue;
        if (event.event === "message") applyMessage(content, event);
        yield event;
      }
    } catch (error) {
      step.end(error instanceof Suspended ? "interrupted" : statusOfFailure(childSignal));
      throw error;
    } finally {
      // Its reader has left it.
      step.end("interrupted");
      // Not awaited: a child that hangs would hold its parent.
      events.return(undefined).catch(() => {});
    }
  }
  return { list: manifests, run };
}

const textPart = (text: string): MessagePart => ({ type: "text", text });

/** A child does not see the conversation; its task must contain all that it needs. */
const inputOf = (kind: JobKind, { task, parts = [], input }: ChildRequest): AgentInput => ({
  kind,
  text: task,
  ...(parts.length === 0 ? {} : { parts: [...(task.trim() === "" ? [] : [textPart(task)]), ...parts] }),
  data: input,
  history: { latest: async () => [] },
});
