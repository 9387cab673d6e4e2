/** A request for a response as one for a job. */
import type { ToolResult } from "@agent-paas/shared/contract/client-tools.ts";
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import type { JobRequest } from "../../../jobs/accept-job.ts";
import type { Services } from "../../../services.ts";
import { assertFewParts } from "../../../validation/message-parts.ts";
import { type AgentFields, agentRequestOf, inRequestTerms } from "../agent-config.ts";
import { ofField, stepsOf } from "../error-field.ts";
import { toolChoiceOf, toolsOf } from "../functions.ts";
import { checkResults, inFieldsOfResults, type ResultFields } from "../tool-results.ts";
import { findConversation } from "./conversation.ts";
import { earlierTurns } from "./earlier-turns.ts";
import { jobIdOf, responseId } from "./ids.ts";
import { createItemResolver } from "./item-references.ts";
import { add, assertAnswered, invalid, readItems } from "./items.ts";
import { type Echo, echoOf, encodeKept } from "./kept-request.ts";
import type { ResponseRequest } from "./request.ts";

export type ResponseJob = { readonly job: JobRequest; readonly echo: Echo };

/** Throws the error that the request deserves. */
export async function readJobRequest(
  services: Services,
  owner: string,
  request: ResponseRequest,
): Promise<ResponseJob> {
  const { model, previous_response_id, instructions, store, max_tool_calls } = request;
  if (request.conversation !== undefined && previous_response_id !== undefined) {
    throw invalid(["conversation"], "does not go with previous_response_id");
  }
  const conversation = await conversationOf(services, owner, request);
  const agent = await services.agentCatalog.find(model);
  const { config, limits } = inTerms(request, () => agentRequestOf(agentFieldsOf(request), agent));
  const given = await readInput(services, owner, request);
  const previous = previous_response_id === undefined ? null : jobIdOf(previous_response_id, "previous_response_id");
  const echo = echoOf(request, previous === null ? null : responseId(previous), conversation?.id ?? null);
  const turn =
    conversation === null
      ? splitTurn(previous === null ? [] : await earlierTurns(services, owner, previous), given)
      : splitConversation(given);
  assertFewParts(turn.parts ?? [], services.config.MAX_MESSAGE_PARTS, "input");
  const { text, parts, earlier, history, toolResults } = turn;
  const system: GivenMessage[] = instructions === undefined ? [] : [{ role: "system", content: instructions }];
  return {
    echo,
    job: {
      kind: "chat",
      agentType: model,
      sessionId: conversation?.sessionId ?? null,
      createsSession: true,
      beginsSession: store,
      isSessionOfJob: true,
      ...{ text, parts, history: [...system, ...history] },
      ...clientTools(request, toolResults),
      config,
      inheritsConfig: false,
      limits: { ...limits, ...(max_tool_calls === undefined ? {} : { max_tool_calls }) },
      metadata: request.metadata,
      request: encodeKept({ echo, earlier: store ? earlier : [] }),
      onBusy: "queue",
    },
  };
}

function conversationOf(services: Services, owner: string, { conversation }: ResponseRequest) {
  if (conversation === undefined) return null;
  const id = typeof conversation === "string" ? conversation : conversation.id;
  return findConversation(services, owner, id, "conversation");
}

async function readInput(services: Services, owner: string, { input }: ResponseRequest): Promise<GivenMessage[]> {
  if (typeof input === "string") return [{ role: "user", content: input }];
  const { MAX_MESSAGE_PARTS } = services.config;
  const given = await readItems(input, createItemResolver(services, owner), MAX_MESSAGE_PARTS);
  if (given.length === 0) throw invalid(["input"], "must not be empty");
  return given;
}

type Turn = Pick<JobRequest, "text" | "parts"> & {
  /** All that comes before the question. */
  readonly history: readonly GivenMessage[];
  /** The request's own part of it. */
  readonly earlier: readonly GivenMessage[];
  readonly toolResults: readonly ToolResult[];
};

function splitTurn(before: readonly GivenMessage[], given: readonly GivenMessage[]): Turn {
  const last = given.at(-1);
  const earlier = last?.role === "user" ? given.slice(0, -1) : given;
  const history: GivenMessage[] = [];
  for (const message of [...before, ...earlier]) add(history, message);
  assertAnswered(history);
  if (last?.role !== "user") return { text: "", history, earlier, toolResults: [] };
  const { content: text, parts } = last;
  return { text, ...(parts === undefined ? {} : { parts }), history, earlier, toolResults: [] };
}

/** A conversation has its own history: a request brings what is new. `system` messages hold for the request. */
function splitConversation(given: readonly GivenMessage[]): Turn {
  const results: ToolResult[] = [];
  const system: GivenMessage[] = [];
  const questions: GivenMessage[] = [];
  for (const message of given) {
    if (message.role === "assistant") throw invalid(["input"], "a conversation has the assistant's items itself");
    if (message.role === "tool") results.push({ call_id: message.call_id, content: message.content });
    else if (message.role === "system") system.push(message);
    else add(questions, message);
  }
  const [question] = questions;
  const parts = question?.role === "user" ? question.parts : undefined;
  const text = question?.content ?? "";
  return { text, ...(parts === undefined ? {} : { parts }), history: system, earlier: system, toolResults: results };
}

function clientTools(request: ResponseRequest, toolResults: readonly ToolResult[]) {
  const { tools, tool_choice } = request;
  const functions = tools.map(({ name, description, parameters }) => ({
    type: "function" as const,
    function: { name, description, parameters },
  }));
  const choice =
    typeof tool_choice === "string" ? tool_choice : { type: "function" as const, function: { name: tool_choice.name } };
  return {
    tools: toolsOf(functions),
    // Without tools there is nothing to choose, and every client says `auto`.
    toolChoice: tools.length === 0 && choice === "auto" ? undefined : toolChoiceOf(choice),
    toolResults: checkResults(toolResults, fieldsOfResults(request)),
  };
}

function fieldsOfResults({ input }: ResponseRequest): ResultFields {
  const items = typeof input === "string" ? [] : input;
  const paths = items.flatMap(({ type }, at) => (type === "function_call_output" ? [`input.${at}`] : []));
  return { list: "input", paths, names: { content: "output" } };
}

/** The fields of the chat protocol that say the same. */
function agentFieldsOf({ text, reasoning, ...request }: ResponseRequest): AgentFields {
  const { temperature, top_p, parallel_tool_calls, max_output_tokens, config, limits } = request;
  const format = text?.format ?? undefined;
  return {
    ...{ temperature, top_p, parallel_tool_calls, config, limits },
    max_completion_tokens: max_output_tokens,
    verbosity: text?.verbosity ?? undefined,
    reasoning_effort: reasoning?.effort ?? undefined,
    response_format:
      format?.type === "json_schema"
        ? { type: "json_schema", json_schema: { name: format.name, schema: format.schema } }
        : format,
  };
}

const NAMES: Readonly<Record<string, string>> = {
  max_completion_tokens: "max_output_tokens",
  verbosity: "text.verbosity",
  reasoning_effort: "reasoning.effort",
  response_format: "text.format",
};

/** An error of the agent's config as one of the field that the client has sent. */
export function inResponseTerms(error: unknown, request: ResponseRequest): unknown {
  const inChat = inRequestTerms(inFieldsOfResults(error, fieldsOfResults(request)), agentFieldsOf(request));
  const [field = "", ...path] = stepsOf(inChat);
  const name = NAMES[field];
  return name === undefined ? inChat : ofField(inChat, [name, ...path]);
}

function inTerms<T>(request: ResponseRequest, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw inResponseTerms(error, request);
  }
}
