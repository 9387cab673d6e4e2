/** Runs of agents without a queue: a run ends whatever its agent does, and keeps what the agent produced. */
import {
  type AgentContext,
  type AgentEvent,
  type AgentInput,
  type AgentRun,
  BaseAgent,
  text,
  thought,
} from "@agent-paas/agents";
import { createAgentRegistry } from "@agent-paas/agents/registry/agent-registry.ts";
import { createToolbox } from "@agent-paas/agents/registry/toolbox.ts";
import { decodeEvents } from "@agent-paas/shared/contract/events.ts";
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { openTestDatabase } from "../../../../test/support/test-database.ts";
import { JobEventWriter, NO_SIGNALS } from "../events/job-event-writer.ts";
import { WRITTEN } from "../job/written-row.ts";
import { createJobRepository } from "../storage/job-repository.ts";
import { createJournalRepository } from "../storage/journal-repository.ts";
import { createSessionRepository } from "../storage/session-repository.ts";
import { createSuspensionRepository } from "../storage/suspension-repository.ts";
import { type AgentRunnerDeps, createAgentRunner } from "./agent-runner.ts";
import { createRunControl } from "./run-control.ts";

const NoConfig = z.strictObject({});
type Context = AgentContext<z.output<typeof NoConfig>>;

/** Runs a job of an agent that behaves as given, and returns how the run ended. */
async function runOnce(
  behave: (input: AgentInput, context: Context) => AgentRun,
  limits: JobPayload["limits"] = {},
  turn: { readonly content: string; readonly finishReason: string } = { content: "word", finishReason: "stop" },
  row: Promise<unknown> = WRITTEN,
) {
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
    models: {
      find: () => ({
        ...{ name: "m", mayUse: () => true, fallbacks: [] },
        model: {
          async *stream() {
            yield { type: "text", content: turn.content };
            return { ...turn, toolCalls: [], usage: USAGE };
          },
        },
      }),
    },
    agents,
    toolbox: createToolbox(),
    retrieverFor: () => ({ search: async () => [] }),
    sessions: createSessionRepository(storage),
    journal: createJournalRepository(storage),
    suspensions: createSuspensionRepository(storage, Date.now),
    systemJobs: new Map(),
    counters: { tokensOf: () => () => {} },
  };
  const writer = new JobEventWriter({
    ...{ jobId: payload.job_id, fencingToken: 1, seq: 0, signals: NO_SIGNALS, claimsJob: false },
    schedule: () => {},
  });
  const logger = { info() {}, warn() {}, error() {} } as never;
  const run = createRunControl();
  const attempt = { payload, attempt: 1, run, writer, logger, row, deadlineMs: 60_000 };
  const prepared = createAgentRunner(deps).prepare(attempt);
  const error = await prepared.run().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  const events = decodeEvents(Buffer.from(writer.takeBatch().bytes));
  return { error, answer: prepared.result(), seq: writer.seq, events };
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

test("what a run does before its row is written is asking the model; events and other work wait", async () => {
  const done: string[] = [];
  const { promise: row, resolve } = Promise.withResolvers<void>();
  const writeRow = () => {
    done.push("row");
    resolve();
  };
  const behave = async function* (_: AgentInput, { model, journal, signal }: Context): AgentRun {
    for await (const { content } of model.stream(QUESTION, signal)) done.push(`model: ${content}`);
    setImmediate(writeRow);
    await journal.once("order", 7, () => done.push("effect"));
    yield text("answer");
  };
  const { error, events } = await runOnce(behave, {}, undefined, row);
  expect(error).toBeNull();
  expect(done).toEqual(["model: word", "row", "effect"]);
  expect(events).toMatchObject([{ event: "message", data: { content: "answer" } }]);
});

test("an event that is yielded before the row is written is appended after it", async () => {
  let append = "nothing";
  const row = Promise.reject(new Error("the row was refused"));
  row.catch(() => {});
  const behave = async function* (): AgentRun {
    yield text("answer");
    append = "went on";
  };
  const { error, seq } = await runOnce(behave, {}, undefined, row);
  expect(error).toMatchObject({ message: "the row was refused" });
  expect([append, seq]).toEqual(["nothing", 0]);
});

test("a run fails if its agent returns data or citations that JSON cannot represent", async () => {
  const circle: unknown[] = [];
  circle.push(circle);
  for (const field of ["data", "citations"]) {
    const { error, answer } = await runOnce(async function* () {
      yield text("So far so good");
      return { [field]: circle };
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

test.each([
  ["no messages", "look"],
  ["a call without a name", [{ role: "assistant", content: "", toolCalls: [{ id: "1" }] }]],
  ["an assistant's message without content", [{ role: "assistant", toolCalls: [] }]],
  [
    "a result without a call",
    [
      { role: "assistant", content: "" },
      { role: "tool", content: "Seen" },
    ],
  ],
  ["null as a message", [null]],
])("a run fails if its agent returns %s as its open turn", async (_, odd) => {
  const { error, answer } = await runOnce(async function* () {
    yield text("So far so good");
    return { openTurn: odd as never };
  });
  expect(error).toBeInstanceOf(TypeError);
  expect([answer.result.content, answer.openTurn]).toEqual(["So far so good", null]);
});

/** An agent that uses the model without the help of `answer`. */
const relay = async function* (_: AgentInput, { model, signal }: Context): AgentRun {
  for await (const { content } of model.stream(QUESTION, signal)) yield text(content);
};

test.each(["length", "content_filter", "refusal"])(
  "an answer that ended with %s completes, and its result and a thought say how it ended",
  async (finishReason) => {
    const { error, answer, events } = await runOnce(relay, {}, { content: "Half an ans", finishReason });
    expect(error).toBeNull();
    expect(answer.result).toEqual({ content: "Half an ans", finish_reason: finishReason });
    expect(events.at(-1)).toMatchObject({ event: "thought", data: { type: "status", finish_reason: finishReason } });
  },
);

test.each([
  ["length", "model_answer_empty"],
  ["content_filter", "model_content_filtered"],
  ["refusal", "model_refused"],
  ["stop", "model_answer_empty"],
  ["insufficient_system_resource", "model_answer_empty"],
])("a run whose model wrote nothing and ended with %s fails with %s", async (finishReason, code) => {
  const { error, answer } = await runOnce(relay, {}, { content: " \n", finishReason });
  expect(error).toMatchObject({ code });
  expect(answer.result.finish_reason).toBe(finishReason);
});

test("an agent that wants no text of the model may end without an answer", async () => {
  const { error, answer } = await runOnce(async function* (_, { model, signal }) {
    for await (const { content } of model.stream(QUESTION, signal)) yield thought("status", content);
  });
  expect([error, answer.result]).toEqual([null, { content: "", finish_reason: "stop" }]);
  const silent = await runOnce(async function* () {
    yield thought("status", "Done without the model");
  });
  expect([silent.error, silent.answer.result]).toEqual([null, { content: "" }]);
});

test("an agent that returns data has an answer, and what it says of its end counts more than the model's turn", async () => {
  const { error, answer } = await runOnce(
    async function* (input, context) {
      yield* relay(input, context);
      return { data: { stored: true }, finishReason: "stop" };
    },
    {},
    { content: "", finishReason: "length" },
  );
  expect([error, answer.result]).toEqual([null, { content: "", finish_reason: "stop", data: { stored: true } }]);
});

test("a turn that broke off has no end", async () => {
  let turns = 0;
  const { answer } = await runOnce(async function* (input, context) {
    yield* relay(input, context);
    context.model
      .stream(QUESTION, context.signal)
      .next()
      .catch(() => {});
    turns++;
  });
  expect([turns, answer.result.finish_reason]).toEqual([1, undefined]);
});

test("an integer beyond 2^53 in an agent's data is kept as it is", async () => {
  const { answer } = await runOnce(async function* () {
    yield text("Here it is");
    return { data: { id: 12345678901234567890n } };
  });
  expect(answer.result.data).toEqual({ id: 12345678901234567890n });
});
