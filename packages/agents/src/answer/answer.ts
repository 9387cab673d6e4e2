/**
 * One answer of the model, the heart of most agents: streamed text, the tool calls that it asks for made side by side, their
 * results given back, until it answers. With a schema the answer is checked JSON; one that does not fit is sent back once.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { AgentContext } from "../agent/agent.ts";
import { AGENT_TEXTS } from "../agent/agent-texts.ts";
import { type AgentEvent, type AgentOutcome, reset, text, thought } from "../agent/events.ts";
import { compileSchema, type SchemaCheck } from "../json-schema/json-schema.ts";
import type { ModelMessage, ModelOptions, ModelRequest, ModelTurn } from "../model/model.ts";
import type { Tool } from "../tools/tool.ts";
import { callTools } from "./call-tools.ts";

export type AnswerRequest = {
  readonly messages: readonly ModelMessage[];
  /** Default: none. */
  readonly tools?: readonly Tool[];
  readonly options?: ModelOptions;
  /** JSON Schema that the answer must fit. */
  readonly responseSchema?: Readonly<Record<string, unknown>> | undefined;
};

export type AnswerContext = Pick<AgentContext<unknown>, "model" | "tools" | "signal" | "locale">;

/**
 * Yields the answer's events; returns the checked value as `data` if there is a schema. Throws `response_schema_mismatch` when the answer
 * does not fit twice, `invalid_config` when the schema is none, and what the model and the budget throw.
 */
export async function* answer(
  request: AnswerRequest,
  context: AnswerContext,
): AsyncGenerator<AgentEvent, AgentOutcome & { readonly content: string }> {
  const { tools = [], options = {}, responseSchema } = request;
  const check = responseSchema === undefined ? null : compileResponseSchema(responseSchema);
  const messages = responseSchema === undefined ? [...request.messages] : withSchema(request.messages, responseSchema);
  const specs = tools.map(({ name, description, parameters }) => ({ name, description, parameters }));
  let said = "";
  let sentBack = false;
  for (;;) {
    const turnRequest = { ...options, messages: [...messages], tools: specs, responseSchema };
    const streamed = yield* streamTurn(turnRequest, said, context);
    const { turn } = streamed;
    said = streamed.said;
    if (turn.toolCalls.length > 0) {
      const { content, toolCalls } = turn;
      messages.push({ role: "assistant", content, toolCalls }, ...(yield* callTools(toolCalls, tools, context)));
      continue;
    }
    if (check === null) return { content: said };
    const read = readJson(turn.content, check);
    if (read.problem === null) {
      if (read.text !== said) yield reset(read.text);
      return { content: read.text, data: read.value };
    }
    const { problem } = read;
    if (sentBack) {
      const message = `The model's answer does not fit the response_schema: ${problem}.`;
      throw new PlatformError("response_schema_mismatch", { message });
    }
    sentBack = true;
    yield thought("status", AGENT_TEXTS[context.locale].repairing(problem));
    yield reset("");
    said = "";
    const correction = `This does not fit the JSON Schema: ${problem}. Answer again, with nothing but JSON that fits.`;
    messages.push({ role: "assistant", content: turn.content }, { role: "user", content: correction });
  }
}

/** `before` is what earlier turns have said; an empty line separates this turn from it. */
async function* streamTurn(
  request: ModelRequest,
  before: string,
  { model, signal }: AnswerContext,
): AsyncGenerator<AgentEvent, { readonly turn: ModelTurn; readonly said: string }> {
  let said = before;
  const chunks = model.stream(request, signal);
  try {
    for (;;) {
      const step = await chunks.next();
      if (step.done) return { turn: step.value, said };
      const { type, content } = step.value;
      if (type === "reasoning") {
        yield thought("reasoning", content);
        continue;
      }
      const separator = before !== "" && said === before ? "\n\n" : "";
      said += separator + content;
      yield text(separator + content);
    }
  } finally {
    await chunks.return(undefined as never);
  }
}

function compileResponseSchema(schema: Readonly<Record<string, unknown>>): SchemaCheck {
  try {
    return compileSchema(schema);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new PlatformError("invalid_config", { message: `config.response_schema: ${words}` });
  }
}

/** The schema in words, in the system message: what every provider understands. */
function withSchema(messages: readonly ModelMessage[], schema: Readonly<Record<string, unknown>>): ModelMessage[] {
  const words = `Answer with nothing but JSON that fits this JSON Schema:\n${JSON.stringify(schema)}`;
  const [first, ...others] = messages;
  if (first?.role !== "system") return [{ role: "system", content: words }, ...messages];
  return [{ role: "system", content: `${first.content}\n\n${words}` }, ...others];
}

type ReadJson =
  | { readonly problem: null; readonly text: string; readonly value: unknown }
  | { readonly problem: string };

const FENCE = "```";

/** Models like to fence JSON, though told not to. Without one expression for it all, which can take quadratic time. */
function withoutFence(content: string): string {
  const trimmed = content.trim();
  const opening = /^```(?:json)?/.exec(trimmed)?.[0];
  if (opening === undefined || !trimmed.endsWith(FENCE)) return trimmed;
  return trimmed.slice(opening.length, -FENCE.length).trim();
}

function readJson(content: string, check: SchemaCheck): ReadJson {
  const json = withoutFence(content);
  try {
    const value: unknown = JSON.parse(json);
    const problem = check(value);
    return problem === null ? { problem, text: json, value } : { problem };
  } catch {
    return { problem: "it is not JSON" };
  }
}
