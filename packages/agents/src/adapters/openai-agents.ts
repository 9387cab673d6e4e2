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
import { reset, thought } from "../agent/events.ts";
import type { ModelMessage } from "../model/model.ts";
import {
  createAnswerText,
  type HistoryOptions,
  messagesFor,
  reasoning,
  toolCall,
  toolResult,
} from "./framework-events.ts";
import { approvalOf, askAll, readApproval } from "./framework-interrupts.ts";
import { toOpenAiAgentsPart } from "./framework-parts.ts";
import { assertStream, type FrameworkRun, streamInJob } from "./framework-run.ts";
import { reportTurn } from "./framework-turn.ts";
import { type Fields, finishReasonIn, rawEvent, reasoningIn, usageIn } from "./openai-agents-events.ts";

export { journaledModel, journaledTool } from "./openai-agents-journal.ts";

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
      assertStream(result);
      return eventsOf(result, run);
    });
    try {
      for await (const [event, run] of events) yield* view.show(event, run);
    } catch (error) {
      // Guardrails may look at an answer while it is shown, and after.
      const isStopped = error instanceof PlatformError && error.code === "guardrail_triggered";
      if (isStopped && view.end().content !== "") yield reset("");
      throw error;
    }
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
    *show({ type, data, item, name }, run) {
      if (type === "raw_model_stream_event") yield* showRaw(data as Fields);
      else if (type === "run_item_stream_event") yield* showItem(name, item as Fields, run);
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

function* showItem(name: unknown, { rawItem, output, targetAgent }: Fields, run: FrameworkRun): Generator<AgentEvent> {
  if (name === "handoff_occurred") yield showHandoff(targetAgent as Fields);
  const raw = (rawItem ?? {}) as Fields;
  const call = { id: String(raw.callId ?? raw.id), name: String(raw.name ?? raw.type) };
  if (name === "tool_output") yield toolResult(run, call, output);
  if (name !== "tool_called") return;
  yield toolCall(call, raw.arguments ?? raw.action);
  // A tool that the provider hosts has run already.
  if (raw.type === "hosted_tool_call") yield toolResult(run, call, raw.output, { failed: raw.status === "failed" });
}

const showHandoff = ({ name }: Fields): AgentEvent => thought("delegate", String(name), { agents: [name] });

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
