/** What a graph's stream shows, in the words of the platform's events. */
import type { AgentContext, AgentEvent } from "../agent/agent.ts";
import type { Question } from "../agent/ask.ts";
import { type AnswerText, createAnswerText, reasoning, toolCall, toolResult } from "./framework-events.ts";
import type { FrameworkRun } from "./framework-run.ts";
import { reportTurn } from "./framework-turn.ts";

export type Fields = Readonly<Record<string, unknown>>;

export type GraphInterrupt = Question & { readonly id: string };

/** Tokens of models, what nodes return, and the whole state after each step. */
export const STREAM_MODES = ["messages", "updates", "values"] as const;
export type Chunk = readonly [mode: (typeof STREAM_MODES)[number] | "known", chunk: unknown];

export type GraphView = {
  show(mode: Chunk[0], chunk: unknown, run: FrameworkRun): Generator<AgentEvent>;
  end(): {
    readonly state: Fields;
    readonly content: string;
    readonly finishReason: string | undefined;
    /** Since the last end. */
    readonly interrupts: readonly GraphInterrupt[];
  };
};

type Updates = {
  readonly __interrupt__?: readonly Fields[];
  /** Of a node that ended before the graph was resumed. */
  readonly __metadata__?: { readonly cached?: boolean };
};

type OpenTurn = { input: number; output: number; total: number; hasUsage: boolean; model: unknown };

export function createGraphView(context: AgentContext<unknown>): GraphView {
  const shown = createAnswerText();
  /** By message id. Nodes may run side by side. */
  const open = new Map<string, OpenTurn>();
  const seen = new Set<string>();
  let latest = "";
  let state: Fields = {};
  const interrupts = new Map<string, GraphInterrupt>();
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
    const id = idOf(message);
    if (seen.has(id)) return;
    seen.add(id);
    readMetadata(message);
    if (typeOf(message) === "tool") {
      const call = { id: String(message.tool_call_id), name: String(message.name) };
      yield toolResult(run, call, message.content, { failed: message.status === "error", replayed });
    }
    for (const call of callsIn(message)) yield toolCall({ id: String(call.id), name: String(call.name) }, call.args);
  }

  /** Has been streamed before, perhaps in an earlier attempt. */
  function* showKnown(message: Fields, run: FrameworkRun): Generator<AgentEvent> {
    if (seen.has(idOf(message))) return;
    if (typeOf(message) === "ai") yield* showPiece(message);
    yield* showMessage(message, run, true);
  }

  return {
    *show(mode, chunk, run) {
      if (mode === "messages") {
        const [message, { ls_model_name }] = chunk as readonly [Fields, Fields];
        if (typeOf(message) === "ai") yield* showPiece(message, ls_model_name);
      } else if (mode === "known") {
        yield* showKnown(chunk as Fields, run);
        reportTurns();
      } else if (mode === "values") state = chunk as Fields;
      else {
        const { __interrupt__: asked = [], __metadata__: { cached } = {}, ...updates } = chunk as Updates;
        for (const { id, value } of asked) interrupts.set(String(id), { id: String(id), question: asText(value) });
        for (const update of Object.values(updates)) {
          for (const message of messagesIn(update)) yield* cached ? showKnown(message, run) : showMessage(message, run);
        }
        reportTurns();
      }
    },
    end() {
      reportTurns();
      const asked = [...interrupts.values()];
      interrupts.clear();
      return { state, content: shown.content(), finishReason, interrupts: asked };
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

const idOf = (message: Fields): string => String(message.id ?? message.tool_call_id);

const callsIn = ({ tool_calls }: Fields): readonly Fields[] => (Array.isArray(tool_calls) ? tool_calls : []);

/** The messages of a state, or of what a node returned: an update, or several by commands. */
export function messagesIn(values: unknown): readonly Fields[] {
  if (typeof values !== "object" || values === null) return [];
  if (Array.isArray(values)) return values.flatMap(messagesIn);
  const { messages } = values as Fields;
  if (Array.isArray(messages)) return messages;
  return typeof messages === "object" && messages !== null ? [messages as Fields] : [];
}
