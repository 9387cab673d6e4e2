/**
 * Compiled graphs of LangGraph (`@langchain/langgraph` 1), without a dependency on it.
 *
 *   async *run(input, context) {
 *     return yield* answerWithLangGraph(graph, input, context);
 *   }
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { AgentContext, AgentEvent, AgentInput, AgentOutcome } from "../agent/agent.ts";
import type { Reply } from "../agent/ask.ts";
import type { ModelMessage } from "../model/model.ts";
import { type HistoryOptions, messagesFor, readArguments } from "./framework-events.ts";
import { createInterruptLog } from "./framework-interrupts.ts";
import { currentRun, type FrameworkRun, streamInJob } from "./framework-run.ts";
import { callInJob, type FrameworkToolOptions } from "./framework-tool.ts";
import {
  type Chunk,
  createGraphView,
  type Fields,
  type GraphInterrupt,
  messagesIn,
  STREAM_MODES,
} from "./langgraph-view.ts";

export { journaledCheckpointer } from "./langgraph-checkpoints.ts";

/** What the adapter calls of a compiled graph, whose own types of input and config this package does not know. */
export type LangGraph = {
  stream(input: never, config: never): PromiseLike<AsyncIterable<unknown>>;
  getState(config: never): PromiseLike<GraphState>;
  readonly checkpointer?: unknown;
};

type GraphState = {
  readonly values: unknown;
  readonly next: readonly string[];
  readonly config?: { readonly configurable?: Fields };
};

export type LangGraphOptions = HistoryOptions & {
  /** The graph's input. Default: `{ messages }`. */
  readonly input?: (messages: readonly object[]) => unknown;
  /** The result's `data`, from the graph's last state. Default: its `structuredResponse`. */
  readonly data?: (state: Fields) => unknown;
  /** More of the graph's config, such as `recursionLimit`. */
  readonly config?: object;
  /** More of `configurable`. The thread is the job's; `locale` is there. */
  readonly configurable?: object;
};

/**
 * Shows the graph's text, reasoning and tool calls, counts its model turns, and returns its structured response as
 * `data`. With a checkpointer a later attempt goes on where the graph was; what it had done is shown again.
 */
export async function* answerWithLangGraph(
  graph: LangGraph,
  input: AgentInput,
  context: AgentContext<unknown>,
  options: LangGraphOptions = {},
): AsyncGenerator<AgentEvent, AgentOutcome> {
  const messages = (await messagesFor(input, options)).map(toLangChainMessage);
  const view = createGraphView(context);
  const configurable = { ...options.configurable, thread_id: context.jobId, locale: context.locale };
  const interruptLog = createInterruptLog(context);
  let resume: Resume | null = null;
  for (;;) {
    const chunks = streamInJob(context, async function begin(run) {
      const config = { ...options.config, configurable, signal: run.signal, durability: "sync" };
      const left = graph.checkpointer && resume === null ? await checkpointOf(graph, config) : null;
      if (left !== null) await interruptLog.askAgain();
      // Nothing is left to do for a graph that has ended; its state says what it answered.
      const goesOn = left === null || left.next.length > 0;
      const asked = resume ?? (left !== null ? null : (options.input?.(messages) ?? { messages }));
      const streamed = { ...config, streamMode: STREAM_MODES };
      const stream = goesOn ? await graph.stream(asked as never, streamed as never) : [];
      const known = left !== null ? { state: left.values as Fields, from: messages.length } : null;
      return chunksOf(run, known, stream as AsyncIterable<Chunk>);
    });
    for await (const [run, [mode, chunk]] of chunks) yield* view.show(mode, chunk, run);
    const { state, content, finishReason, interrupts } = view.end();
    if (interrupts.length > 0) {
      resume = new Resume(interrupts, await interruptLog.ask(interrupts));
      continue;
    }
    const data = options.data === undefined ? state.structuredResponse : options.data(state);
    if (content === "" && data === undefined && finishReason === "stop") throw new PlatformError("model_answer_empty");
    return { data: data ?? undefined, finishReason };
  }
}

/**
 * LangGraph's `Command`, which it knows by this name. `interrupt()` returns the answer, or `{declined: true, reason}`.
 */
class Resume {
  readonly lg_name = "Command";
  readonly goto: readonly never[] = [];
  readonly resume: Fields;

  constructor(interrupts: readonly GraphInterrupt[], replies: readonly Reply[]) {
    const values = replies.map((reply) => (reply.answered ? reply.answer : { declined: true, reason: reply.reason }));
    this.resume = Object.fromEntries(interrupts.map(({ id }, at) => [id, values[at]]));
  }
}

/**
 * What the thread's last checkpoint holds; null if there is none. It is asked for by its id: else LangGraph counts
 * nodes that have been answered, or have ended since, as done, though the graph has yet to go on from them.
 */
async function checkpointOf(graph: LangGraph, config: { readonly configurable: Fields }): Promise<GraphState | null> {
  const latest = await graph.getState(config as never);
  const { checkpoint_id } = latest.config?.configurable ?? {};
  if (checkpoint_id === undefined) return null;
  return graph.getState({ ...config, configurable: { ...config.configurable, checkpoint_id } } as never);
}

type Known = { readonly state: Fields; readonly from: number };

async function* chunksOf(
  run: FrameworkRun,
  known: Known | null,
  stream: AsyncIterable<Chunk>,
): AsyncGenerator<[FrameworkRun, Chunk]> {
  if (known !== null) {
    for (const message of messagesIn(known.state).slice(known.from)) yield [run, ["known", message]];
    yield [run, ["values", known.state]];
  }
  for await (const chunk of stream) yield [run, chunk];
}

/** A message of the conversation in a form that LangChain reads. */
function toLangChainMessage(message: ModelMessage): object {
  if (message.role === "tool") return { role: "tool", content: message.content, tool_call_id: message.callId };
  // Parts have the form that LangChain takes for every model.
  if (message.role === "user") return { role: "user", content: message.parts ?? message.content };
  if (message.role !== "assistant" || message.toolCalls === undefined) {
    return { role: message.role, content: message.content };
  }
  const tool_calls = message.toolCalls.map(({ id, name, arguments: args }) => ({
    ...{ id, name, args: readArguments(args), type: "tool_call" },
  }));
  return { role: "assistant", content: message.content, tool_calls };
}

type Call = (this: unknown, args: unknown, manager: unknown, config: Fields) => Promise<unknown>;

/**
 * The same tool, whose calls are the job's: counted, bounded in time, and not repeated by a later attempt. A tool that
 * calls `interrupt()` begins again when it goes on, so it must not be wrapped.
 */
export function journaledTool<Tool extends { readonly name: string }>(
  tool: Tool,
  options: FrameworkToolOptions = {},
): Tool {
  const { name, _call } = tool as unknown as { readonly name: string; readonly _call: Call };
  const inJob: Call = (args, manager, config) => {
    const { id } = (config.toolCall ?? {}) as { readonly id?: string };
    return callInJob({ name, args, id }, options, async (decided, signal) => {
      try {
        return await _call.call(tool, decided, manager, signal === undefined ? config : { ...config, signal });
      } catch (error) {
        if ((error as Error).name === "GraphInterrupt") currentRun()?.fail(wrongly(name));
        throw error;
      }
    });
  };
  return Object.create(tool, { _call: { value: inJob } }) as Tool;
}

const wrongly = (name: string): PlatformError =>
  new PlatformError("agent_failed", { message: `The tool "${name}" calls interrupt(): it must not be wrapped.` });
