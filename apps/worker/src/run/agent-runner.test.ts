/** Runs of agents without a queue: a run ends whatever its agent does, and keeps what the agent produced. */
import {
  type AgentContext,
  type AgentEvent,
  type AgentInput,
  type AgentRun,
  BaseAgent,
  text,
} from "@agent-paas/agents";
import { createAgentRegistry } from "@agent-paas/agents/registry/agent-registry.ts";
import { createToolbox } from "@agent-paas/agents/registry/toolbox.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { openTestDatabase } from "../../../../test/support/test-database.ts";
import { JobEventWriter, NO_SIGNALS } from "../events/job-event-writer.ts";
import { createJobRepository } from "../storage/job-repository.ts";
import { createJournalRepository } from "../storage/journal-repository.ts";
import { createSessionRepository } from "../storage/session-repository.ts";
import { type AgentRunnerDeps, createAgentRunner } from "./agent-runner.ts";
import { createRunControl } from "./run-control.ts";

const NoConfig = z.strictObject({});
type Context = AgentContext<z.output<typeof NoConfig>>;

/** Runs a job of an agent that behaves as given, and returns how the run ended. */
async function runOnce(behave: (input: AgentInput, context: Context) => AgentRun, limits: JobPayload["limits"] = {}) {
  class Agent extends BaseAgent<typeof NoConfig> {
    static readonly description = "For one test.";
    static readonly config = NoConfig;
    run(input: AgentInput, context: Context): AgentRun {
      return behave(input, context);
    }
  }
  const agent_type = "behaving";
  const agents = createAgentRegistry();
  agents.register(agent_type, Agent);
  const payload: JobPayload = {
    ...{ job_id: newId(), kind: "execute", owner: "alice", agent_type, session_id: null, text: "task", config: {} },
    ...{ limits, metadata: {}, locale: "en", request_id: "r", accepted_at: new Date().toISOString() },
  } as const;
  const { storage } = await openTestDatabase();
  await createJobRepository(storage, "worker").start(payload, 1);
  const deps: AgentRunnerDeps = {
    model: {
      async *stream() {
        yield { type: "text", content: "word" };
        return { content: "word", toolCalls: [], finishReason: "stop", usage: USAGE };
      },
    },
    agents,
    toolbox: createToolbox(),
    retrieverFor: () => ({ search: async () => [] }),
    sessions: createSessionRepository(storage),
    journal: createJournalRepository(storage),
    systemJobs: new Map(),
  };
  const writer = new JobEventWriter({
    ...{ jobId: payload.job_id, fencingToken: 1, seq: 0, signals: NO_SIGNALS, claimsJob: false },
    schedule: () => {},
  });
  const logger = { info() {}, warn() {}, error() {} } as never;
  const run = createRunControl();
  const prepared = createAgentRunner(deps).prepare({ payload, attempt: 1, run, writer, logger, deadlineMs: 60_000 });
  const error = await prepared.run().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return { error, answer: prepared.result(), seq: writer.seq };
}

const USAGE = { input_tokens: 1, output_tokens: 1, total_tokens: 2 };
const QUESTION = { messages: [{ role: "user", content: "?" }] } as const;

test("a run whose budget is exhausted ends, also if its agent ignores the error and waits for ever", async () => {
  const { error, answer } = await runOnce(
    async function* (_, { model, signal }) {
      yield text("word");
      try {
        // Refused before `next` returns: the generator has not waited for anything since its last event.
        for await (const { content } of model.stream(QUESTION, signal)) yield text(content);
      } catch {
        await new Promise(() => {});
      }
    },
    { max_steps: 0 },
  );
  expect(error).toMatchObject({ code: "budget_exhausted" });
  expect(answer.result.content).toBe("word");
});

test("a run fails if its agent returns data or citations that JSON cannot represent", async () => {
  for (const field of ["data", "citations"]) {
    const { error, answer } = await runOnce(async function* () {
      yield text("So far so good");
      return { [field]: [1n] };
    });
    expect(error).toBeInstanceOf(TypeError);
    expect(answer.result).toEqual({ content: "So far so good" });
  }
});

test.each([
  ["a string", "Hello"],
  ["nothing", undefined],
  ["a done event, which only the platform may publish", { event: "done", data: { content: "", status: "completed" } }],
  ["an event without content", { event: "message", data: { type: "text" } }],
])("a run fails if its agent yields %s, which no client sees", async (_, odd) => {
  const { error, answer, seq } = await runOnce(async function* () {
    yield text("So far so good");
    yield odd as AgentEvent;
  });
  expect(error).toBeInstanceOf(TypeError);
  expect([answer.result.content, seq]).toEqual(["So far so good", 1]);
});
