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
import { approvalOf, askAll, readApproval } from "./framework-interrupts.ts";
import { toOpenAiAgentsPart } from "./framework-parts.ts";
import { currentRun, type FrameworkRun, streamInJob } from "./framework-run.ts";
import { callInJob, FrameworkToolError, type FrameworkToolOptions } from "./framework-tool.ts";
import { keepTurn, reportTurn } from "./framework-turn.ts";

/** What `run` gets of the job. */
export type OpenAiAgentsRequest = {
  /** In the form of the SDK's AgentInputItem, which this package does not know; or its RunState, to go on. */
  readonly messages: never;
  readonly signal: AbortSignal;
};

/** What `run` returns with `stream: true`. */
export type OpenAiAgentsResult = AsyncIterable<object> & {
  readonly completed: Promise<void>;
  readonly finalOutput?: unknown;
  /** Calls that wait for an approval, of which the state can be told. */
  readonly interruptions?: readonly object[];
  readonly state?: unknown;
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
  /** The conversation, and then the state of a run that goes on. */
  let messages: unknown = toInputItems(await messagesFor(input, options));
  const view = createRunView(context);
  for (;;) {
    let result: OpenAiAgentsResult | undefined;
    const events = streamInJob(context, async (run) => {
      result = await start({ messages: messages as never, signal: run.signal });
      return eventsOf(result, run);
    });
    for await (const [event, run] of events) yield* view.show(event, run);
    const { interruptions = [], state } = result ?? {};
    if (interruptions.length > 0) {
      await decide(interruptions as readonly Fields[], state as RunState, context);
      messages = state;
      continue;
    }
    // The SDK warns of a look at it before the run is at its end.
    const finalOutput = result?.finalOutput;
    const data = typeof finalOutput === "string" ? undefined : (finalOutput ?? undefined);
    const { content, finishReason } = view.end();
    if (content === "" && data === undefined && finishReason === "stop") throw new PlatformError("model_answer_empty");
    return { data, finishReason };
  }
}

type RunState = {
  approve(interruption: object): void;
  reject(interruption: object, options: { readonly message?: string | undefined }): void;
};

/** Tells the state of the run what people have decided of the calls. */
async function decide(
  interruptions: readonly Fields[],
  state: RunState,
  context: AgentContext<unknown>,
): Promise<void> {
  const questions = interruptions.map(({ rawItem }) => {
    const { name, arguments: args } = (rawItem ?? {}) as Fields;
    return approvalOf(name, args, context.locale);
  });
  for (const [at, reply] of (await askAll(context, questions)).entries()) {
    const { approved, reason } = readApproval(reply);
    const interruption = interruptions[at] ?? {};
    if (approved) state.approve(interruption);
    else state.reject(interruption, reason === undefined ? {} : { message: reason });
  }
}

type RunView = {
  show(event: Fields, run: FrameworkRun): Generator<AgentEvent>;
  end(): { readonly content: string; readonly finishReason: string | undefined };
};

function createRunView(context: AgentContext<unknown>): RunView {
  const shown = createAnswerText();
  let finishReason: string | undefined;
  let model: unknown;
  let latestAgent: string | null = null;

  function* showRaw(raw: Fields): Generator<AgentEvent> {
    model = rawEvent(raw).model ?? model;
    finishReason = finishReasonIn(raw) ?? finishReason ?? "stop";
    if (raw.type === "response_started") shown.beginTurn();
    if (raw.type === "response_done") reportTurn(context, { ...usageIn(raw), model }, shown.ofTurn());
    if (raw.type === "output_text_delta") yield shown.piece(String(raw.delta));
    const thinking = reasoningIn(raw);
    if (thinking !== "") yield reasoning(thinking);
  }

  return {
    *show({ type, data, item, name, agent }, run) {
      if (type === "raw_model_stream_event") yield* showRaw(data as Fields);
      else if (type === "run_item_stream_event") yield* showItem(name, item as Fields, run);
      else if (type === "agent_updated_stream_event") {
        const to = String((agent as Fields).name);
        if (latestAgent !== null && latestAgent !== to) yield thought("delegate", to, { agents: [to] });
        latestAgent = to;
      }
    },
    end: () => ({ content: shown.content(), finishReason }),
  };
}

/** The stream ends before the run's error is known. */
async function* eventsOf(result: OpenAiAgentsResult, run: FrameworkRun): AsyncGenerator<[Fields, FrameworkRun]> {
  // Whoever stops reading must not leave a rejection behind that nobody handles.
  result.completed.catch(() => {});
  for await (const event of result) yield [event as Fields, run];
  await result.completed;
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

/** The conversation in the SDK's form, in which a result names its tool. */
function toInputItems(messages: readonly ModelMessage[]): object[] {
  const names = new Map<string, string>();
  return messages.flatMap((message): object[] => {
    const { role, content } = message;
    if (role === "tool") {
      const { callId } = message;
      const name = names.get(callId) ?? "";
      return [{ type: "function_call_result", name, callId, status: "completed", output: content }];
    }
    if (role === "user" && message.parts !== undefined) {
      return [{ role, content: message.parts.map(toOpenAiAgentsPart) }];
    }
    if (role !== "assistant") return [{ role, content }];
    const calls = (message.toolCalls ?? []).map(({ id, name, arguments: args }) => {
      names.set(id, name);
      return { type: "function_call", callId: id, name, arguments: args, status: "completed" };
    });
    const text = { role, status: "completed", content: [{ type: "output_text", text: content }] };
    return [...(content === "" ? [] : [text]), ...calls];
  });
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
      return await callInJob(call, options, (args, signal) =>
        invoke(runContext, asInput(args, input), signal === undefined ? details : { ...details, signal }),
      );
    } catch (error) {
      // An error would end the SDK's run; the model should read it.
      if (error instanceof FrameworkToolError) return error.message;
      throw error;
    }
  };
  return { ...tool, invoke: inJob };
}

/** The model's own text, unless a person has changed the arguments. */
const asInput = (args: unknown, input: string): string =>
  JSON.stringify(args) === JSON.stringify(readArguments(input)) ? input : JSON.stringify(args);

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
    yield* await keepTurn({ request, ask: () => streaming.getStreamedResponse(asked), callsTool }, run);
  }
  return new Proxy(model, {
    get(target, name) {
      if (name === "getStreamedResponse") return (asked: Asked) => keepingTurns(asked, currentRun());
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

function callsTool({ type, response }: Fields): boolean {
  const { output = [] } = (response ?? {}) as { readonly output?: readonly Fields[] };
  return type === "response_done" && output.some((item) => item.type === "function_call");
}
