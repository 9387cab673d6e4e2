/**
 * What a provider's refusal says about how it wants to be asked. Data: each entry reads the words of a refusal and
 * changes the form of the request.
 */
import { hasParts, type ModelMessage, type ModelRequest } from "../model.ts";
import { NINE_CHARS } from "./call-ids.ts";
import type { ProviderFailure } from "./error-body.ts";
import { refusesParts } from "./part-refusals.ts";
import type { RequestForm } from "./quirks.ts";

type Adaptation = {
  /** Parts of a refusal, in lower case, of which one must occur. */
  readonly names: readonly string[];
  /** Words of which one must occur besides. Default: none is needed. */
  readonly words?: readonly string[];
  /** Whether a refusal's words mean this, instead of `names`. */
  readonly fits?: (words: string) => boolean;
  /** Whether only this request is at fault, as its schema may be; then nothing is remembered. */
  readonly isPassing?: boolean;
  /** The change, or null if the request has nothing to change. */
  readonly change: (form: RequestForm, request: ModelRequest) => Partial<RequestForm> | null;
};

/** How providers say that they do not know a field, or its value. */
const UNKNOWN = [
  ...["unsupported", "not supported", "does not support", "doesn't support", "unrecognized", "unknown", "unexpected"],
  ...["extra inputs", "extra fields", "extra_forbidden", "not permitted", "not allowed", "not enabled", "no such"],
  ...["instead", "additional properties", "invalid parameter", "only supports", "is not available", "are supported"],
];

const RESPONSE_FORMATS = [
  "response_format",
  "json_schema",
  "json_object",
  "json mode",
  "json schema",
  "structured output",
];

const ADAPTATIONS: readonly Adaptation[] = [
  { names: [], fits: refusesParts, change: withoutEarlierParts, isPassing: true },
  {
    names: ["max_tokens"],
    words: UNKNOWN,
    change: ({ maxTokensField }, { maxTokens }) =>
      maxTokens === undefined || maxTokensField !== "max_tokens" ? null : { maxTokensField: "max_completion_tokens" },
  },
  {
    names: ["max_completion_tokens"],
    words: UNKNOWN,
    change: ({ maxTokensField }, { maxTokens }) =>
      maxTokens === undefined || maxTokensField === "max_tokens" ? null : { maxTokensField: "max_tokens" },
  },
  {
    names: ["stream_options", "include_usage"],
    change: ({ streamUsage }) => (streamUsage ? { streamUsage: false } : null),
  },
  { names: RESPONSE_FORMATS, words: UNKNOWN, change: simplerFormat },
  { names: RESPONSE_FORMATS, change: simplerFormat, isPassing: true },
  {
    names: ["developer"],
    words: UNKNOWN,
    change: ({ systemRole }) => (systemRole === "developer" ? { systemRole: "system" } : null),
  },
  {
    names: ["system role", "system message", "system prompt", "role: system", "'system'", '"system"', "`system`"],
    words: UNKNOWN,
    change: withoutSystem,
  },
  // Google's words for Gemma, and those of templates that know two roles.
  {
    names: ["developer instruction", "system instruction", "roles must alternate", "only user and assistant roles"],
    change: withoutSystem,
  },
  {
    names: ["reasoning_content", "reasoning_text", "reasoning content", "`thinking`"],
    words: ["passed back", "is missing", "must be provided", "is required"],
    change: ({ returnReasoning, reasoningOfAll }, { messages }) => {
      if (!messages.some(({ role }) => role === "assistant")) return null;
      if (returnReasoning === "off" || returnReasoning === "marked") return { returnReasoning: "reasoning_content" };
      return reasoningOfAll ? null : { reasoningOfAll: true };
    },
  },
  // What a gateway hands on from one provider, the next one behind it may refuse.
  {
    names: ["extra_content", "provider_specific_fields", "thought_signature"],
    words: UNKNOWN,
    change: ({ callExtra }, { messages }) => (callExtra && messages.some(hasCallExtra) ? { callExtra: false } : null),
  },
  {
    names: ["reasoning", "thinking", "provider_specific_fields", "extra_content", "encrypted_content"],
    words: UNKNOWN,
    change: ({ returnReasoning }, { messages }) =>
      returnReasoning === "off" || !messages.some(returnReasoning === "marked" ? hasExtra : isAssistant)
        ? null
        : { returnReasoning: "off" },
  },
  {
    names: ["tool call id", "tool_call_id", "tool_calls"],
    words: ["length of 9"],
    change: ({ callIds }) => (callIds === NINE_CHARS ? null : { callIds: NINE_CHARS }),
  },
  {
    names: ["content"],
    words: ["null", "none is not", "valid string", "must be a string", "expected a string", "nonetype", "<nil>"],
    change: ({ emptyContent }, { messages }) =>
      emptyContent === null && messages.some((message) => message.role === "assistant") ? { emptyContent: "" } : null,
  },
];

const hasCallExtra = (message: ModelMessage): boolean =>
  message.role === "assistant" && (message.toolCalls ?? []).some(({ extra }) => extra !== undefined);

const isAssistant = ({ role }: ModelMessage): boolean => role === "assistant";
const hasExtra = (message: ModelMessage): boolean => message.role === "assistant" && message.extra !== undefined;

function simplerFormat({ responseFormat }: RequestForm, { responseSchema }: ModelRequest): Partial<RequestForm> | null {
  if (responseSchema === undefined || responseFormat === "none") return null;
  return { responseFormat: responseFormat === "json_schema" ? "json_object" : "none" };
}

function withoutSystem({ systemRole }: RequestForm, { messages }: ModelRequest): Partial<RequestForm> | null {
  return systemRole !== "user" && messages.some(({ role }) => role === "system") ? { systemRole: "user" } : null;
}

function withoutEarlierParts({ parts }: RequestForm, { messages }: ModelRequest): Partial<RequestForm> | null {
  const latest = messages.findLast(({ role }) => role === "user");
  return parts === "all" && messages.some((message) => message !== latest && hasParts(message))
    ? { parts: "latest" }
    : null;
}

/** Templates run inside some servers, whose failures then count as the server's own. */
const STATUSES = [400, 404, 405, 415, 422, 500, 501];
const MAX_SEARCHED = 4_000;

export type Adapted = { readonly change: Partial<RequestForm>; readonly isPassing: boolean };

/** The change with which the request may be accepted, or null if the refusal says nothing about its form. */
export function adapt(failure: ProviderFailure, form: RequestForm, request: ModelRequest): Adapted | null {
  if (failure.status != null && !STATUSES.includes(failure.status)) return null;
  const text = `${(failure.message ?? "").slice(0, MAX_SEARCHED)} ${failure.param ?? ""} ${failure.code ?? ""}`;
  const lower = text.toLowerCase();
  for (const { names, fits, words, change, isPassing = false } of ADAPTATIONS) {
    if (!(fits?.(lower) ?? names.some((name) => lower.includes(name)))) continue;
    if (words !== undefined && !words.some((word) => lower.includes(word))) continue;
    const changed = change(form, request);
    if (changed !== null) return { change: changed, isPassing };
  }
  // An address that has expired, a file that is gone, one image too many: each says so in words of its own.
  const isServers = failure.status == null || failure.status >= 500;
  const change = isServers ? null : withoutEarlierParts(form, request);
  return change === null ? null : { change, isPassing: true };
}
