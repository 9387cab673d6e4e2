/**
 * Agents of the AI SDK (`ai` 7), without a dependency on it: whatever streams the parts of its `fullStream` will do.
 *
 *   async *run(input, context) {
 *     return yield* answerWithAiSdk((asked) => agent.stream(asked), input, context);
 *   }
 */

import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { AgentContext, AgentEvent, AgentInput, AgentOutcome } from "../agent/agent.ts";
import type { ModelMessage } from "../model/model.ts";
import { asPlatformError, streamError } from "./framework-errors.ts";
import {
  createAnswerText,
  type HistoryOptions,
  type ModelFile,
  messagesFor,
  readArguments,
  reasoning,
  showFile,
  showSource,
  toolCall,
  toolResult,
} from "./framework-events.ts";
import { approvalOf, askAll, readApproval } from "./framework-interrupts.ts";
import { toAiSdkPart } from "./framework-parts.ts";
import { type FrameworkRun, streamInJob } from "./framework-run.ts";
import { callInJob, type FrameworkToolOptions } from "./framework-tool.ts";
import { keepTurn, reportTurn } from "./framework-turn.ts";

/** What `streamText` and an agent's `stream` get of the job. */
export type AiSdkRequest = {
  /** In the form of the SDK's ModelMessage, which this package does not know. */
  readonly messages: never[];
  readonly abortSignal: AbortSignal;
  /** Keeps the SDK from printing errors, which the adapter throws; they may hold what was asked. */
  readonly onError: () => void;
};

/** A part of the SDK's stream, of which the fields matter that its type has. */
type Part = { readonly type: string; readonly [field: string]: unknown };

/** What `streamText` returns. */
export type AiSdkResult = {
  readonly stream: AsyncIterable<Part>;
  readonly output: PromiseLike<unknown>;
  /** Asked for only when calls wait for an approval. */
  readonly responseMessages?: PromiseLike<readonly object[]>;
};

export type AiSdkOptions<Result> = HistoryOptions & {
  /** The result's `data`, such as `({ files }) => …`. Default: the structured output. */
  readonly data?: (result: Result) => unknown;
};

/**
 * Shows the run's text, reasoning, tool calls and sources, counts its turns, and returns its structured output as
 * `data`. Throws what the provider's failure means to the platform.
 */
export async function* answerWithAiSdk<Result extends AiSdkResult>(
  start: (request: AiSdkRequest) => Result | PromiseLike<Result>,
  input: AgentInput,
  context: AgentContext<unknown>,
  options: AiSdkOptions<Result> = {},
): AsyncGenerator<AgentEvent, AgentOutcome> {
  const messages = toAiSdkMessages(await messagesFor(input, options));
  const shown = createAnswerText();
  let finishReason: string | undefined;
  for (;;) {
    let result: Result | undefined;
    let run: FrameworkRun | undefined;
    const waiting: Part[] = [];
    const parts = streamInJob(context, async (begun) => {
      run = begun;
      result = await start({ messages: messages as never[], abortSignal: begun.signal, onError() {} });
      return result.stream;
    });
    for await (const part of parts) {
      if (part.type === "start-step") shown.beginTurn();
      else if (part.type === "finish-step") {
        reportTurn(context, usageOf(part), shown.ofTurn());
        finishReason = String(part.finishReason).replace("-", "_");
      } else if (part.type === "error") throw failureOf(part.error);
      else if (part.type === "abort") throw new PlatformError("model_timeout", { cause: part.reason });
      else if (part.type === "tool-approval-request" && part.isAutomatic !== true) waiting.push(part);
      else if (run !== undefined) yield* show(part, shown.piece, run);
    }
    if (waiting.length > 0) {
      messages.push(...((await result?.responseMessages) ?? []), await decide(waiting, context));
      continue;
    }
    const data = await dataOf(result, options);
    if (shown.content() === "" && data === undefined && finishReason === "stop") {
      throw new PlatformError("model_answer_empty");
    }
    return { data, finishReason };
  }
}

/** The message by which the SDK learns what people have decided of the calls. */
async function decide(waiting: readonly Part[], context: AgentContext<unknown>): Promise<object> {
  const questions = waiting.map(({ toolCall }) => {
    const { toolName, input } = toolCall as { readonly toolName: unknown; readonly input: unknown };
    return approvalOf(toolName, input, context.locale);
  });
  const replies = await askAll(context, questions);
  const content = replies.map((reply, at) => {
    return { type: "tool-approval-response", approvalId: waiting[at]?.approvalId, ...readApproval(reply) };
  });
  return { role: "tool", content };
}

/** Providers report a failure by whatever they got: an error, a text, an object. */
const failureOf = (error: unknown): unknown => (error instanceof Error ? asPlatformError(error) : streamError(error));

function* show(part: Part, piece: (text: string) => AgentEvent, run: FrameworkRun): Generator<AgentEvent> {
  const call = { id: String(part.toolCallId), name: String(part.toolName) };
  if (part.type === "text-delta") yield piece(String(part.text));
  else if (part.type === "reasoning-delta") yield reasoning(String(part.text));
  else if (part.type === "tool-call") yield toolCall(call, part.input);
  else if (part.type === "tool-result" && part.preliminary !== true) yield toolResult(run, call, part.output);
  else if (part.type === "source") yield showSource(part);
  else if (part.type === "file") yield showFile(part.file as ModelFile, run.context.locale);
  else if (part.type === "tool-output-denied") yield toolResult(run, call, "denied", { failed: true });
  else if (part.type === "tool-error") yield toolResult(run, call, messageOf(part.error), { failed: true });
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Without an output specification, `output` is the text. */
async function dataOf<Result extends AiSdkResult>(
  result: Result | undefined,
  { data }: AiSdkOptions<Result>,
): Promise<unknown> {
  try {
    if (data !== undefined && result !== undefined) return await data(result);
    const output = await result?.output;
    return typeof output === "string" ? undefined : output;
  } catch (error) {
    const { name } = error as { readonly name?: unknown };
    if (name === "AI_NoOutputGeneratedError") return undefined;
    if (name !== "AI_NoObjectGeneratedError") throw asPlatformError(error);
    const message = `The model's answer does not fit the output's schema: ${messageOf(error)}`;
    throw new PlatformError("response_schema_mismatch", { message, cause: error });
  }
}

type Tokens = { readonly inputTokens?: number; readonly outputTokens?: number; readonly totalTokens?: number };

function usageOf({ usage, response }: Part) {
  const { inputTokens: input, outputTokens: output, totalTokens: total } = (usage ?? {}) as Tokens;
  const { modelId: model } = (response ?? {}) as { readonly modelId?: unknown };
  return { input, output, total, model };
}

/** The conversation in the SDK's form, in which a result names its tool. */
function toAiSdkMessages(messages: readonly ModelMessage[]): object[] {
  const names = new Map<string, string>();
  return messages.map((message) => {
    const { role, content } = message;
    if (role === "tool") {
      const call = { toolCallId: message.callId, toolName: names.get(message.callId) ?? "" };
      return { role, content: [{ type: "tool-result", ...call, output: { type: "text", value: content } }] };
    }
    if (role === "user" && message.parts !== undefined) return { role, content: message.parts.map(toAiSdkPart) };
    if (role !== "assistant" || message.toolCalls === undefined) return { role, content };
    const calls = message.toolCalls.map(({ id, name, arguments: args }) => {
      names.set(id, name);
      return { type: "tool-call", toolCallId: id, toolName: name, input: readArguments(args) };
    });
    return { role, content: [...(content === "" ? [] : [{ type: "text", text: content }]), ...calls] };
  });
}

type Execute = (
  input: unknown,
  options: { readonly toolCallId?: string; readonly abortSignal?: AbortSignal },
) => unknown;

/**
 * The same tools, whose calls are the job's: counted, bounded in time, and not repeated by a later attempt. Tools
 * without `execute` stay as they are.
 */
export function journaledTools<Tools extends object>(tools: Tools, options: FrameworkToolOptions = {}): Tools {
  const wrapped = Object.entries(tools).map(([name, tool]: [string, { readonly execute?: Execute }]) => {
    const { execute } = tool;
    if (execute === undefined) return [name, tool] as const;
    const inJob: Execute = (input, call = {}) =>
      callInJob({ name, args: input, id: call.toolCallId }, options, (args, signal) =>
        lastOf(execute(args, signal === undefined ? call : { ...call, abortSignal: signal })),
      );
    return [name, { ...tool, execute: inJob }] as const;
  });
  return Object.fromEntries(wrapped) as Tools;
}

/** A tool may stream preliminary results; the last one is its result. */
async function lastOf(result: unknown): Promise<unknown> {
  if (typeof result !== "object" || result === null || !(Symbol.asyncIterator in result)) return result;
  let last: unknown;
  for await (const value of result as AsyncIterable<unknown>) last = value;
  return last;
}

type Streamed = { readonly stream: ReadableStream<Part> };
type Asked = { readonly prompt: unknown; readonly responseFormat?: unknown };

/**
 * The same model, whose turns that call tools are kept: a later attempt of the job repeats them word for word, so it
 * makes the same calls, and finds those that are finished.
 */
export function journaledModel<Model extends object>(model: Model): Model {
  const { modelId, doStream } = model as unknown as {
    readonly modelId: string;
    readonly doStream: (asked: Asked) => PromiseLike<Streamed>;
  };
  const keepingTurns = async (asked: Asked): Promise<Streamed> => {
    const ask = async () => partsOf((await doStream.call(model, asked)).stream);
    const request = [modelId, asked.prompt, asked.responseFormat];
    const parts = await keepTurn<Part>({ request, ask, callsTool });
    return { stream: ReadableStream.from(parts) as ReadableStream<Part> };
  };
  return new Proxy(model, {
    get(target, name) {
      if (name === "doStream") return keepingTurns;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** A turn that breaks off is not kept. */
async function* partsOf(stream: AsyncIterable<Part>): AsyncGenerator<Part, void> {
  for await (const part of stream) {
    if (part.type === "error") throw failureOf(part.error);
    yield part;
  }
}

const callsTool = ({ type }: Part): boolean => type === "tool-call";
