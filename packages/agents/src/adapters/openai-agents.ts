/**
 * Agents of the OpenAI Agents SDK (`@openai/agents`), without a dependency on it: whatever streams its run events will
 * do.
 *
 *   async *run(input, context) {
 *     const start = ({ messages, signal }) => run(agent, messages, { stream: true, signal });
 *     return yield* answerWithOpenAiAgents(start, input, context);
 *   }
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { AgentContext, AgentEvent, AgentInput, AgentOutcome } from "../agent/agent.ts";
import { thought } from "../agent/events.ts";
import type { ModelMessage } from "../model/model.ts";
import {
  createAnswerText,
  type HistoryOptions,
  messagesFor,
  readArguments,
  reasoning,
  toolCall,
  toolResult,
} from "./framework-events.ts";
import { approvalOf, assertNoInterrupts, type Interrupt } from "./framework-interrupts.ts";
import { currentRun, type FrameworkRun, streamInJob } from "./framework-run.ts";
import { callInJob, FrameworkToolError, type FrameworkToolOptions } from "./framework-tool.ts";
import { keepTurn, reportTurn } from "./framework-turn.ts";

/** What `run` gets of the job. */
export type OpenAiAgentsRequest = {
  /** In the form of the SDK's AgentInputItem, which this package does not know. */
  readonly messages: never[];
  readonly signal: AbortSignal;
};

/** What `run` returns with `stream: true`. */
export type OpenAiAgentsResult = AsyncIterable<object> & {
  readonly completed: Promise<void>;
  readonly finalOutput?: unknown;
  readonly interruptions?: readonly object[];
};

/** An event of the SDK's stream, or of a model, of which the fields matter that its type has. */
type Fields = Readonly<Record<string, unknown>>;

/**
 * Shows the run's text, reasoning, tool calls and handoffs, counts its turns, and returns its structured output as
 * `data`. Throws what the provider's failure means to the platform.
 */
export async function* answerWithOpenAiAgents(
  start: (request: OpenAiAgentsRequest) => OpenAiAgentsResult | PromiseLike<OpenAiAgentsResult>,
  input: AgentInput,
  context: AgentContext<unknown>,
  options: HistoryOptions = {},
): AsyncGenerator<AgentEvent, AgentOutcome> {
  const messages = (await messagesFor(input, options)).flatMap(toInputItems);
  const shown = createAnswerText();
  const outcome: { result?: OpenAiAgentsResult; agent?: string; model?: unknown; finishReason?: string } = {};
  const events = streamInJob(context, async (run) => {
    const result = await start({ messages: messages as never[], signal: run.signal });
    outcome.result = result;
    return eventsOf(result, run);
  });
  for await (const [{ type, data, item, name, agent }, run] of events) {
    if (type === "raw_model_stream_event") {
      const raw = data as Fields;
      outcome.finishReason = finishReasonIn(raw) ?? outcome.finishReason ?? "stop";
      outcome.model = rawEvent(raw).model ?? outcome.model;
      if (raw.type === "response_started") shown.beginTurn();
      if (raw.type === "response_done") {
        reportTurn(context, { ...usageIn(raw), model: outcome.model }, shown.ofTurn());
      }
      yield* showRaw(raw, shown.piece);
    } else if (type === "run_item_stream_event") yield* showItem(name, item as Fields, run);
    else if (type === "agent_updated_stream_event") {
      const to = String((agent as Fields).name);
      if (outcome.agent !== undefined && outcome.agent !== to) yield thought("delegate", to, { agents: [to] });
      outcome.agent = to;
    }
  }
  assertNoInterrupts((outcome.result?.interruptions ?? []).map((each) => interruptOf(each as Fields)));
  const final = outcome.result?.finalOutput;
  const data = typeof final === "string" ? undefined : (final ?? undefined);
  if (shown.content() === "" && data === undefined && outcome.finishReason === "stop") {
    throw new PlatformError("model_answer_empty");
  }
  return { data, finishReason: outcome.finishReason };
}

function interruptOf(interruption: Fields): Interrupt {
  const { callId, name, arguments: args } = (interruption.rawItem ?? {}) as Fields;
  return approvalOf(callId, name, args);
}

/** The stream ends before the run's error is known. */
async function* eventsOf(result: OpenAiAgentsResult, run: FrameworkRun): AsyncGenerator<[Fields, FrameworkRun]> {
  // Whoever stops reading must not leave a rejection behind that nobody handles.
  result.completed.catch(() => {});
  for await (const event of result) yield [event as Fields, run];
  await result.completed;
}

function* showRaw(raw: Fields, piece: (text: string) => AgentEvent): Generator<AgentEvent> {
  if (raw.type === "output_text_delta") yield piece(String(raw.delta));
  const thinking = reasoningIn(raw);
  if (thinking !== "") yield reasoning(thinking);
}

function* showItem(name: unknown, { rawItem, output }: Fields, run: FrameworkRun): Generator<AgentEvent> {
  const raw = (rawItem ?? {}) as Fields;
  const call = { id: String(raw.callId), name: String(raw.name) };
  if (name === "tool_called" && raw.type === "function_call") yield toolCall(call, raw.arguments);
  if (name === "tool_output" && raw.type === "function_call_result") yield toolResult(run, call, output);
}

/** Raw chunks of the chat completions API, and raw events of the responses API. */
const rawEvent = ({ type, event }: Fields): Fields => (type === "model" ? ((event ?? {}) as Fields) : {});

const firstChoice = (raw: Fields): Fields => {
  const { choices } = rawEvent(raw) as { readonly choices?: readonly Fields[] };
  return choices?.[0] ?? {};
};

function reasoningIn(raw: Fields): string {
  const { reasoning: short, reasoning_content = short } = (firstChoice(raw).delta ?? {}) as Fields;
  if (typeof reasoning_content === "string") return reasoning_content;
  const { type, delta } = rawEvent(raw);
  const isReasoning = type === "response.reasoning_summary_text.delta" || type === "response.reasoning_text.delta";
  return isReasoning ? String(delta) : "";
}

function finishReasonIn(raw: Fields): string | undefined {
  const { finish_reason } = firstChoice(raw);
  return typeof finish_reason === "string" ? finish_reason : undefined;
}

function usageIn({ response }: Fields) {
  const { usage } = (response ?? {}) as { readonly usage?: Readonly<Record<string, number>> };
  return { input: usage?.inputTokens, output: usage?.outputTokens, total: usage?.totalTokens };
}

/** A message of the conversation in the SDK's form. */
function toInputItems(message: ModelMessage): object[] {
  if (message.role === "tool") {
    const { callId, content } = message;
    return [{ type: "function_call_result", name: "", callId, status: "completed", output: content }];
  }
  if (message.role !== "assistant") return [{ role: message.role, content: message.content }];
  const text = { role: "assistant", status: "completed", content: [{ type: "output_text", text: message.content }] };
  const calls = (message.toolCalls ?? []).map(({ id, name, arguments: args }) => ({
    ...{ type: "function_call", callId: id, name, arguments: args, status: "completed" },
  }));
  return [...(message.content === "" ? [] : [text]), ...calls];
}

type Invoke = (context: unknown, input: string, details?: Fields) => Promise<unknown>;

/** The same tool, whose calls are the job's: counted, bounded in time, and not repeated by a later attempt. */
export function journaledTool<Tool extends { readonly name: string }>(
  tool: Tool,
  options: FrameworkToolOptions = {},
): Tool {
  const { name, invoke } = tool as unknown as { readonly name: string; readonly invoke?: Invoke };
  if (invoke === undefined) return tool;
  const inJob: Invoke = async (runContext, input, details) => {
    const { callId } = (details?.toolCall ?? {}) as { readonly callId?: string };
    const call = { name, args: readArguments(input), id: callId };
    try {
      return await callInJob(call, options, (signal) =>
        invoke(runContext, input, signal === undefined ? details : { ...details, signal }),
      );
    } catch (error) {
      // An error would end the SDK's run; the model should read it.
      if (error instanceof FrameworkToolError) return error.message;
      throw error;
    }
  };
  return { ...tool, invoke: inJob };
}

type Asked = Readonly<Record<"systemInstructions" | "input" | "outputType", unknown>>;
type Streaming = { getStreamedResponse(asked: Asked): AsyncIterable<Fields> };

/**
 * The same model, whose turns that call tools are kept: a later attempt of the job repeats them word for word, so it
 * makes the same calls, and finds those that are finished.
 */
export function journaledModel<Model extends object>(model: Model): Model {
  const streaming = model as unknown as Streaming;
  async function* keepingTurns(asked: Asked, run: FrameworkRun | undefined): AsyncGenerator<Fields> {
    const request = [asked.systemInstructions, asked.input, asked.outputType];
    yield* await keepTurn({ request, ask: () => streaming.getStreamedResponse(asked), callsTools }, run);
  }
  return new Proxy(model, {
    get(target, name) {
      if (name === "getStreamedResponse") return (asked: Asked) => keepingTurns(asked, currentRun());
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

const callsTools = (events: readonly Fields[]): boolean =>
  events.some(({ type, response }) => {
    const { output = [] } = (response ?? {}) as { readonly output?: readonly Fields[] };
    return type === "response_done" && output.some((item) => item.type === "function_call");
  });
