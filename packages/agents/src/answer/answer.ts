/**
 * One answer of the model, as most agents need it: the text is streamed, the tool calls that the model asks for are
 * made side by side, and their results go into the next turn, until a turn calls no tools, or tools of the client. With
 * a schema the answer is checked JSON; an answer that does not fit is returned to the model once, with the reason.
 */

import { TOOL_CALLS } from "@agent-paas/shared/contract/client-tools.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { AgentContext } from "../agent/agent.ts";
import { AGENT_TEXTS } from "../agent/agent-texts.ts";
import { noAnswer, showEnd } from "../agent/answer-end.ts";
import { type AgentEvent, type AgentOutcome, reset, text, thought } from "../agent/events.ts";
import { untilAborted } from "../job/until-aborted.ts";
import { compileSchema, InvalidSchema, type SchemaCheck } from "../json-schema/json-schema.ts";
import { isMarked } from "../model/last-turn.ts";
import { type ModelMessage, type ModelOptions, type ModelTurn, toMessage } from "../model/model.ts";
import { openCallsOf } from "../model/open-turn.ts";
import type { Tool } from "../tools/tool.ts";
import { callTools, showClientCall } from "./call-tools.ts";
import { createOffer } from "./offer.ts";
import { readJson } from "./read-json.ts";

export type AnswerRequest = {
  readonly messages: readonly ModelMessage[];
  /** Default: none. */
  readonly tools?: readonly Tool[];
  readonly options?: ModelOptions;
  /** JSON Schema that the answer must fit. */
  readonly responseSchema?: Readonly<Record<string, unknown>> | undefined;
};

/** Why an answer that reached the limit of output tokens is no JSON, or lacks something. */
const CUT = "it was cut at the limit of output tokens (finish_reason length)";

export type AnswerContext = Pick<AgentContext<unknown>, "model" | "tools" | "signal" | "locale" | "owner"> &
  Partial<Pick<AgentContext<unknown>, "clientTools" | "toolChoice">>;

/**
 * `asked` may be what prepares the request: an agent then returns the answer itself, without a generator around it.
 * Yields the answer's events; returns the checked value as `data` if there is a schema, and `openTurn` if the client is
 * to make calls. Throws `response_schema_mismatch` when the second answer does not fit either, `invalid_config` when
 * the schema itself is invalid or takes too much, `model_refused` or `model_content_filtered` when there is a schema
 * and no answer, `tool_name_conflict` or `invalid_request` for tools and a choice of tools that do not go together, and
 * what the model and the budget throw.
 */
export async function* answer(
  asked: AnswerRequest | (() => Promise<AnswerRequest>),
  context: AnswerContext,
): AsyncGenerator<AgentEvent, AgentOutcome & { readonly content: string }> {
  const request = typeof asked === "function" ? await asked() : asked;
  const { tools = [], options = {}, responseSchema } = request;
  const { signal } = context;
  const check = responseSchema === undefined ? null : await compileResponseSchema(responseSchema, context);
  const messages = responseSchema === undefined ? [...request.messages] : withSchema(request.messages, responseSchema);
  const offer = createOffer(tools, context);
  /** The text of the turns so far; an empty line separates the next one's from it. */
  let content = "";
  let isRetry = false;
  for (;;) {
    const turnRequest = { ...options, messages: [...messages], ...offer.next(), responseSchema };
    const separator = content === "" ? "" : "\n\n";
    let hasText = false;
    const chunks = context.model.stream(turnRequest, signal);
    let turn: ModelTurn | null = null;
    // Not in a generator of its own, which would cost every token several turns of the microtask queue.
    try {
      while (turn === null) {
        const next = await chunks.next();
        if (next.done) {
          turn = next.value;
          continue;
        }
        const { type, content: piece } = next.value;
        if (type === "reasoning") {
          yield thought("reasoning", piece);
        } else if (type === "reset") {
          yield thought("reasoning", piece.trimStart());
          yield reset(content);
          hasText = false;
        } else {
          yield text(hasText ? piece : `${separator}${piece}`);
          hasText = true;
        }
      }
    } finally {
      await chunks.return(undefined as never);
    }
    if (turn.content !== "") content += `${separator}${turn.content}`;
    if (turn.toolCalls.length > 0) {
      const results = yield* callTools(turn.toolCalls, tools, context, turn.finishReason === "length");
      const called = [toMessage(turn), ...results];
      const openCalls = openCallsOf(called);
      for (const call of openCalls) yield showClientCall(call);
      if (openCalls.length > 0) return { content, finishReason: TOOL_CALLS, openTurn: called };
      messages.push(...called);
      continue;
    }
    if (check === null) return { content };
    const accept = async (value: unknown) => {
      const problem = await check(value);
      return problem === null ? { problem, value } : { problem };
    };
    const read = await untilAborted(readJson({ words: turn.content, type: responseSchema?.type, accept }), signal);
    if (read.problem === null) {
      if (read.text !== content) yield reset(read.text);
      return { content: read.text, data: read.value };
    }
    if (isMarked(turn.finishReason) && turn.finishReason !== "length") {
      yield* showEnd(turn.finishReason, context.locale);
      throw noAnswer(turn.finishReason);
    }
    const isCut = turn.finishReason === "length";
    const problem = isCut ? CUT : read.problem;
    if (isRetry) {
      yield* showEnd(turn.finishReason, context.locale);
      const message = `The model's answer does not fit the response_schema: ${problem}.`;
      throw new PlatformError("response_schema_mismatch", { message });
    }
    isRetry = true;
    yield thought("status", AGENT_TEXTS[context.locale].repairing(problem));
    yield reset("");
    content = "";
    const again = `Answer again, with nothing but JSON that fits${isCut ? ", and in fewer words" : ""}.`;
    const correction = `This does not fit the JSON Schema: ${problem}. ${again}`;
    messages.push(
      { role: "assistant", content: turn.content },
      { role: "user", content: correction, isCorrection: true },
    );
  }
}

async function compileResponseSchema(
  schema: Readonly<Record<string, unknown>>,
  { owner, signal }: AnswerContext,
): Promise<SchemaCheck> {
  const untilKnown = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await untilAborted(work, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof InvalidSchema)) throw error;
      throw new PlatformError("invalid_config", { message: `config.response_schema: ${error.message}` });
    }
  };
  const check = await untilKnown(compileSchema(schema, owner));
  // Some schemas show only at a check that they are of no use.
  return (value) => untilKnown(check(value));
}

/** Puts the schema into the system message, because not every provider accepts a schema in its request format. */
function withSchema(messages: readonly ModelMessage[], schema: Readonly<Record<string, unknown>>): ModelMessage[] {
  const words = `Answer with nothing but JSON that fits this JSON Schema:\n${JSON.stringify(schema)}`;
  const [first, ...others] = messages;
  if (first?.role !== "system") return [{ role: "system", content: words }, ...messages];
  return [{ role: "system", content: `${first.content}\n\n${words}` }, ...others];
}
