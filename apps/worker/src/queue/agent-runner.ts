/** Runs the agent of one job: events to the writer, text to the answer, until it returns, throws or is aborted. */
import type { AgentClass, AgentContext, AgentInput, AgentRun } from "@agent-paas/agents/agent.ts";
import { createMeteredModel } from "@agent-paas/agents/model/metered-model.ts";
import type { Model } from "@agent-paas/agents/model/model.ts";
import { findAgent } from "@agent-paas/agents/registry.ts";
import type { JobPayload, Usage } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import type { JobEventWriter } from "../events/job-event-writer.ts";
import type { SessionRepository } from "../storage/session-repository.ts";

/** What a run has brought so far; kept when it breaks off. */
export type Answer = { content: string; data: unknown; usage: () => Usage };

export type AgentRunner = ReturnType<typeof createAgentRunner>;

export function createAgentRunner(model: Model, sessions: SessionRepository) {
  return {
    /** Starts nothing yet: the answer is there to be read whatever `run` will end with. */
    prepare(payload: JobPayload, runs: number, signal: AbortSignal, writer: JobEventWriter, logger: Logger) {
      const metered = createMeteredModel(model);
      const answer: Answer = { content: "", data: undefined, usage: metered.usage };

      async function run(): Promise<void> {
        const agent = findAgent(payload.agent_type);
        if (agent === undefined) throw new PlatformError("agent_unavailable");
        const context: AgentContext<unknown> = {
          jobId: payload.job_id,
          attempt: runs,
          config: parseConfig(agent, payload.config),
          model: metered.model,
          locale: payload.locale,
          signal,
          logger,
        };
        await consume(new agent().run(inputOf(payload, sessions), context), signal, writer, answer);
      }

      return { answer, run };
    },
  };
}

/** Every wait ends with the signal, also when the agent does not heed it or Redis does not answer. */
async function consume(events: AgentRun, signal: AbortSignal, writer: JobEventWriter, answer: Answer): Promise<void> {
  let interrupt: (reason: unknown) => void = () => {};
  const onAbort = () => interrupt(signal.reason);
  const interruptible = <T>(wait: Promise<T>) =>
    new Promise<T>((resolve, reject) => {
      interrupt = reject;
      wait.then(resolve, reject);
    });
  signal.addEventListener("abort", onAbort);
  try {
    for (;;) {
      signal.throwIfAborted();
      const step = await interruptible(events.next());
      if (step.done) {
        answer.data = asJson(step.value?.data);
        return;
      }
      writer.append(step.value);
      if (step.value.event === "message") answer.content += step.value.data.content;
      if (writer.congested) await interruptible(writer.flushed());
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Not awaited: a generator that hangs would hold the job's slot.
    events.return(undefined).catch(() => {});
  }
}

/** What JSON makes of an agent's data: the form in which it is kept. A cycle or a BigInt is the agent's fault. */
const asJson = (data: unknown): unknown => (data === undefined ? undefined : JSON.parse(JSON.stringify(data)));

function parseConfig(agent: AgentClass, config: JobPayload["config"]): unknown {
  const parsed = agent.config.safeParse(config);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new PlatformError("invalid_config", { message: `config.${issue?.path.join(".")}: ${issue?.message}` });
}

function inputOf(payload: JobPayload, sessions: SessionRepository): AgentInput {
  const { session_id: sessionId, job_id: jobId } = payload;
  return {
    kind: payload.kind,
    text: payload.text,
    data: payload.input,
    history: {
      latest: async ({ maxTokens }) => (sessionId === null ? [] : sessions.latestMessages(sessionId, jobId, maxTokens)),
    },
  };
}
