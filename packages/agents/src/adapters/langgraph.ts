/**
 * Compiled graphs of LangGraph (`@langchain/langgraph` 1), without a dependency on it.
 *
 *   async *run(input, context) {
 *     return yield* answerWithLangGraph(graph, input, context);
 *   }
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { AgentContext, AgentEvent, AgentInput, AgentOutcome } from "../agent/agent.ts";
import type { Question, Reply } from "../agent/ask.ts";
import type { ModelMessage } from "../model/model.ts";
import {
  type AnswerText,
  createAnswerText,
  type HistoryOptions,
  messagesFor,
  readArguments,
  reasoning,
  toolCall,
  toolResult,
} from "./framework-events.ts";
import { askAll } from "./framework-interrupts.ts";
import { currentRun, type FrameworkRun, streamInJob } from "./framework-run.ts";
import { callInJob, type FrameworkToolOptions } from "./framework-tool.ts";
import { reportTurn } from "./framework-turn.ts";

export { journaledCheckpointer } from "./langgraph-checkpoints.ts";

type Fields = Readonly<Record<string, unknown>>;

/** What the adapter calls of a compiled graph, whose own types of input and config this package does not know. */
export type LangGraph = {
  stream(input: never, config: never): PromiseLike<AsyncIterable<unknown>>;
  getState(config: never): PromiseLike<{ readonly values: unknown; readonly next: readonly string[] }>;
  readonly checkpointer?: unknown;
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
  let resume: Resume | null = null;
  for (;;) {
    const chunks = streamInJob(context, async function begin(run) {
      const config = { ...options.config, configurable, signal: run.signal, durability: "sync" };
      const left = graph.checkpointer && resume === null ? await graph.getState(config as never) : null;
      const isLeft = left !== null && messagesIn(left.values).length > 0;
      // Nothing is left to do for a graph that has ended; its state says what it answered.
      const goesOn = !isLeft || left.next.length > 0;
      const asked = resume ?? (isLeft ? null : (options.input?.(messages) ?? { messages }));
      const streamed = { ...config, streamMode: STREAM_MODES };
      const stream = goesOn ? await graph.stream(asked as never, streamed as never) : [];
      const known = isLeft ? { state: left.values as Fields, from: messages.length } : null;
      return chunksOf(run, known, stream as AsyncIterable<Chunk>);
    });
    for await (const [run, [mode, chunk]] of chunks) yield* view.show(mode, chunk, run);
    const { state, content, finishReason, interrupts } = view.end();
    if (interrupts.length > 0) {
      resume = new Resume(interrupts, await askAll(context, interrupts));
      continue;
    }
    const data = options.data === undefined ? state.structuredResponse : options.data(state);
    if (content === "" && data === undefined && finishReason === "stop") throw new PlatformError("model_answer_empty");
    return { data: data ?? undefined, finishReason };
  }
}

type GraphInterrupt = Question & { readonly id: string };

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

/** Tokens of models, what nodes return, and the whole state after each step. */
const STREAM_MODES = ["messages", "updates", "values"] as const;
type Chunk = readonly [mode: (typeof STREAM_MODES)[number] | "known", chunk: unknown];
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

type GraphView = {
  show(mode: Chunk[0], chunk: unknown, run: FrameworkRun): Generator<AgentEvent>;
  end(): {
    readonly state: Fields;
    readonly content: string;
    readonly finishReason: string | undefined;
    /** Since the last end. */
    readonly interrupts: readonly GraphInterrupt[];
  };
};

type OpenTurn = { input: number; output: number; total: number; hasUsage: boolean; model: unknown };

function createGraphView(context: AgentContext<unknown>): GraphView {
  const shown = createAnswerText();
  /** By message id. Nodes may run side by side. */
  const open = new Map<string, OpenTurn>();
  const seen = new Set<string>();
  let latest = "";
  let state: Fields = {};
  const interrupts: GraphInterrupt[] = [];
  let finishReason: string | undefined;

  function* showPiece(message: Fields, model?: unknown): Generator<AgentEvent> {
    const id = String(message.id);
    if (id !== latest) shown.beginTurn();
    latest = id;
    const turn = open.get(id) ?? { input: 0, output: 0, total: 0, hasUsage: false, model };
    open.set(id, turn);
    addUsage(turn, message);
    finishReason ??= "stop";
    readMetadata(message);
    yield* showContent(message, shown);
  }

  /** Streamed pieces may lack what the whole message has. */
  function readMetadata(message: Fields): void {
    const { finish_reason, model_name } = (message.response_metadata ?? {}) as Fields;
    const turn = open.get(String(message.id));
    if (turn !== undefined) turn.model = model_name ?? turn.model;
    if (typeof finish_reason === "string" && finish_reason !== "") finishReason = finish_reason;
  }

  /** Turns are counted when their node has ended. */
  function reportTurns(): void {
    for (const [id, turn] of open) {
      open.delete(id);
      reportTurn(context, turn.hasUsage ? turn : { model: turn.model }, shown.ofTurn());
    }
  }

  function* showMessage(message: Fields, run: FrameworkRun, replayed = false): Generator<AgentEvent> {
    const id = String(message.id ?? message.tool_call_id);
    if (seen.has(id)) return;
    seen.add(id);
    readMetadata(message);
    if (typeOf(message) === "tool") {
      const call = { id: String(message.tool_call_id), name: String(message.name) };
      yield toolResult(run, call, message.content, { failed: message.status === "error", replayed });
    }
    for (const call of callsIn(message)) yield toolCall({ id: String(call.id), name: String(call.name) }, call.args);
  }

  return {
    *show(mode, chunk, run) {
      if (mode === "messages") {
        const [message, { ls_model_name }] = chunk as readonly [Fields, Fields];
        if (typeOf(message) === "ai") yield* showPiece(message, ls_model_name);
      } else if (mode === "known") {
        if (typeOf(chunk as Fields) === "ai") yield* showPiece(chunk as Fields);
        yield* showMessage(chunk as Fields, run, true);
        reportTurns();
      } else if (mode === "values") state = chunk as Fields;
      else {
        const { __interrupt__: asked = [], ...updates } = chunk as { readonly __interrupt__?: readonly Fields[] };
        for (const { id, value } of asked) interrupts.push({ id: String(id), question: asText(value) });
        for (const update of Object.values(updates)) {
          for (const message of messagesIn(update)) yield* showMessage(message, run);
        }
        reportTurns();
      }
    },
    end() {
      reportTurns();
      return { state, content: shown.content(), finishReason, interrupts: interrupts.splice(0) };
    },
  };
}

/** Content is a text, or blocks of which some are texts. */
function* showContent({ content, additional_kwargs }: Fields, shown: AnswerText): Generator<AgentEvent> {
  const { reasoning_content } = (additional_kwargs ?? {}) as Fields;
  if (typeof reasoning_content === "string" && reasoning_content !== "") yield reasoning(reasoning_content);
  if (typeof content === "string") {
    if (content !== "") yield shown.piece(content);
    return;
  }
  for (const block of (content ?? []) as readonly Fields[]) {
    if (typeof block.text === "string" && block.text !== "") yield shown.piece(block.text);
    const thinking = block.reasoning ?? block.thinking;
    if (typeof thinking === "string" && thinking !== "") yield reasoning(thinking);
  }
}

function addUsage(turn: OpenTurn, { usage_metadata }: Fields): void {
  if (typeof usage_metadata !== "object" || usage_metadata === null) return;
  const { input_tokens = 0, output_tokens = 0, total_tokens = 0 } = usage_metadata as Record<string, number>;
  turn.hasUsage = true;
  turn.input += input_tokens;
  turn.output += output_tokens;
  turn.total += total_tokens;
}

const asText = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""));

const typeOf = (message: Fields): unknown =>
  typeof message.getType === "function" ? (message.getType as () => unknown).call(message) : message.type;

const callsIn = ({ tool_calls }: Fields): readonly Fields[] => (Array.isArray(tool_calls) ? tool_calls : []);

/** The messages of a state, or of what a node returned. */
function messagesIn(values: unknown): readonly Fields[] {
  if (typeof values !== "object" || values === null) return [];
  const { messages } = values as Fields;
  if (Array.isArray(messages)) return messages;
  return typeof messages === "object" && messages !== null ? [messages as Fields] : [];
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
