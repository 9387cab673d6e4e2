/** Fields of a request as the config of the agent that is asked. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { OfferedAgent } from "../../presence/agent-catalog.ts";
import type { ChatRequest, CONFIG_FIELDS } from "./chat-request.ts";
import { ofField, stepsOf } from "./error-field.ts";

/** Of each field, the value that asks for nothing, as an empty list does. An agent without the field heeds that. */
const NEUTRAL: Readonly<Partial<Record<keyof ChatRequest, unknown>>> = {
  temperature: 1,
  top_p: 1,
  frequency_penalty: 0,
  presence_penalty: 0,
  parallel_tool_calls: true,
  verbosity: "medium",
};

/** Of all limits, the most that a request may set. */
const MOST_OUTPUT_TOKENS = 1_000_000;

/** The fields that concern the agent. */
export type AgentFields = Pick<ChatRequest, keyof typeof CONFIG_FIELDS | "config" | "limits">;

type AgentRequest = { readonly config: Record<string, unknown>; readonly limits: JobPayload["limits"] };

/** Throws `invalid_request` with the name of a field that the agent cannot heed. */
export function agentRequestOf(request: AgentFields, { config_schema }: OfferedAgent): AgentRequest {
  const properties = (config_schema.properties ?? {}) as Readonly<Record<string, unknown>>;
  const config: Record<string, unknown> = { ...request.config };
  const limits: AgentRequest["limits"] = { ...request.limits };

  function set(field: keyof AgentFields, value: unknown, name: string = field): void {
    if (value === undefined) return;
    if (Object.hasOwn(properties, name)) config[name] = value;
    else if (NEUTRAL[field] !== value && !isEmpty(value)) throw notHeeded(field);
  }

  for (const field of ["temperature", "top_p", "frequency_penalty", "presence_penalty"] as const) {
    set(field, request[field]);
  }
  for (const field of ["stop", "reasoning_effort", "verbosity", "parallel_tool_calls"] as const) {
    set(field, request[field]);
  }
  // Nobody promises that the same seed gives the same answer.
  if (Object.hasOwn(properties, "seed")) set("seed", request.seed);
  set("response_format", schemaOf(request.response_format), "response_schema");
  const mostTokens = request.max_completion_tokens ?? request.max_tokens;
  if (Object.hasOwn(properties, "max_tokens")) set(mostTokensField(request), mostTokens, "max_tokens");
  else if (mostTokens !== undefined) limits.max_output_tokens ??= Math.min(mostTokens, MOST_OUTPUT_TOKENS);
  return { config, limits };
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const mostTokensField = ({ max_completion_tokens }: AgentFields) =>
  max_completion_tokens === undefined ? "max_tokens" : "max_completion_tokens";

function schemaOf(format: ChatRequest["response_format"]): unknown {
  if (format === undefined || format.type === "text") return undefined;
  return (format.type === "json_schema" ? format.json_schema.schema : null) ?? { type: "object" };
}

const notHeeded = (field: string) =>
  new PlatformError("invalid_request", { message: `${field}: the agent does not take it`, param: field });

/** An error of the config as one of the field that the client has sent. */
export function inRequestTerms(error: unknown, request: AgentFields): unknown {
  const [within, name, ...path] = stepsOf(error);
  if (within !== "config" || name === undefined) return error;
  const field = { response_schema: "response_format", max_tokens: mostTokensField(request) }[name] ?? name;
  if (request[field as keyof AgentFields] === undefined || Object.hasOwn(request.config, name)) return error;
  return ofField(error, [field, ...path]);
}
