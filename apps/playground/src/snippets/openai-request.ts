/**
 * A request in the terms of OpenAI's protocol, where agents are models: a chat is a chat completion, an execute job a
 * response in the background, a job's events those of its response. Documents have no counterpart.
 */
import type { ChatRequest, ExecuteRequest } from "@agent-paas/client";
import type { Call } from "./call.ts";

export type OpenAiRequest = {
  /** `chat.completions.create`. */
  readonly method: string;
  /** What stands in front of the fields. */
  readonly id?: string;
  readonly fields: Fields;
  /** Fields that only this platform has. */
  readonly own: Fields;
  readonly answer: "chunks" | "response" | "events";
};

type Fields = Readonly<Record<string, unknown>>;

/** Null where the protocol has no such request. */
export function openAiRequestOf(call: Call): OpenAiRequest | null {
  if (call.kind === "chat") return chatOf(call.body);
  if (call.kind === "execute") return executeOf(call.agent, call.body);
  if (call.kind !== "events") return null;
  const fields = { stream: true, starting_after: call.after };
  return { method: "responses.retrieve", id: call.jobId, fields, own: {}, answer: "events" };
}

function chatOf(body: Omit<ChatRequest, "stream">): OpenAiRequest {
  const { agent_type, session_id, message, tools, tool_choice, tool_results = [], limits, metadata } = body;
  const { named, rest } = splitConfig(body.config);
  const { response_schema, ...same } = named;
  const messages = [
    ...tool_results.map(({ call_id, content }) => ({ role: "tool", tool_call_id: call_id, content })),
    ...(message === undefined ? [] : [{ role: "user", content: message }]),
  ];
  return {
    method: "chat.completions.create",
    fields: {
      model: agent_type,
      messages,
      stream: true,
      ...same,
      response_format: response_schema && { type: "json_schema", json_schema: formatOf(response_schema) },
      tools: tools?.map((tool) => ({ type: "function", function: tool })),
      tool_choice: typeof tool_choice === "object" ? { type: "function", function: tool_choice } : tool_choice,
      metadata: filled({ ...metadata, session_id }),
    },
    own: { config: filled(rest), limits },
    answer: "chunks",
  };
}

/** Jobs with data beside their task, or within a session, are the platform's own. */
function executeOf(agent: string, body: ExecuteRequest): OpenAiRequest | null {
  const { task, input, session_id, tools, tool_choice, tool_results = [], limits, metadata } = body;
  if (task === undefined || session_id !== undefined || tool_results.length > 0) return null;
  if (input !== undefined && input !== null) return null;
  const { named, rest } = splitConfig(body.config);
  const { temperature, top_p, max_tokens, response_schema, ...others } = named;
  return {
    method: "responses.create",
    fields: {
      model: agent,
      input: typeof task === "string" ? task : [{ role: "user", content: task.map(inputPartOf) }],
      background: true,
      temperature,
      top_p,
      max_output_tokens: max_tokens,
      text: response_schema && { format: { type: "json_schema", ...formatOf(response_schema) } },
      tools: tools?.map((tool) => ({ type: "function", ...tool })),
      tool_choice: typeof tool_choice === "object" ? { type: "function", ...tool_choice } : tool_choice,
      metadata: filled(metadata ?? {}),
    },
    own: { config: filled({ ...others, ...rest }), limits },
    answer: "response",
  };
}

type Part = Exclude<ChatRequest["message"], string | undefined>[number];

function inputPartOf(part: Part): Fields {
  if (part.type === "text") return { type: "input_text", text: part.text };
  if (part.type === "file") return { type: "input_file", ...part.file };
  return { type: "input_image", image_url: part.image_url.url, detail: part.image_url.detail };
}

/** Fields of a config that OpenAI's requests have, too. */
const NAMED: ReadonlySet<string> = new Set([
  ...["temperature", "top_p", "frequency_penalty", "presence_penalty", "max_tokens", "stop", "seed"],
  ...["reasoning_effort", "verbosity", "parallel_tool_calls", "response_schema"],
]);

function splitConfig(config: Fields = {}): { readonly named: Fields; readonly rest: Fields } {
  const [named, rest]: [Record<string, unknown>, Record<string, unknown>] = [{}, {}];
  for (const [name, value] of Object.entries(config)) {
    const isNamed = NAMED.has(name) && value !== null;
    (isNamed ? named : rest)[name] = value;
  }
  return { named, rest };
}

const formatOf = (schema: unknown): Fields => ({ name: "answer", schema });

/** Undefined for an object without a value, which need not be sent. */
export const filled = (fields: Fields): Fields | undefined =>
  Object.values(fields).some((value) => value !== undefined) ? fields : undefined;
