/**
 * Reads the messages that a server writes. The SDK's schemas refuse a whole message for one field that is null or not
 * quite of its type, and a request without an answer then waits for its time limit. So what servers are known to write
 * is brought into the protocol's form first: fields of null are absent, numbers may be texts, and of the answer to
 * `initialize` only what this client uses is kept. A tool's arguments, schema and result are left as they are.
 */
import { parseForeignJson } from "@agent-paas/shared/json/exact-json.ts";
import { type Fields, isFields } from "@agent-paas/shared/json/fields.ts";
import { ErrorCode, type JSONRPCMessage, JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import { markServerError } from "./mcp-errors.ts";

/** The number of the request that a message without an id answers, if the transport knows. */
type AnswerTo = number | undefined;

/**
 * The messages of one text, which may be a batch.
 *
 * @param onProblem called for each message that is none.
 */
export function readMessages(text: string, onProblem: (error: Error) => void, answerTo?: AnswerTo): JSONRPCMessage[] {
  const json: unknown = parseForeignJson(text.startsWith("\uFEFF") ? text.slice(1) : text);
  return (Array.isArray(json) ? json : [json]).flatMap((each) => {
    const { data: message, error } = JSONRPCMessageSchema.safeParse(mend(each, answerTo));
    if (message === undefined) onProblem(error);
    return message ?? [];
  });
}

function mend(message: unknown, answerTo: AnswerTo): unknown {
  if (!isFields(message)) return message;
  const { method, params, result, error } = message;
  const id = idOf(message.id);
  const answer = { jsonrpc: "2.0", ...withId(id ?? answerTo) };
  if (error !== undefined && error !== null) return { ...answer, error: mendError(error) };
  if (result !== undefined && result !== null) return { ...answer, result: mendResult(result) };
  if (typeof method !== "string") return "result" in message ? { ...answer, result: {} } : message;
  return { jsonrpc: "2.0", ...withId(id), method, ...(isFields(params) ? { params: mendParams(params) } : {}) };
}

const withId = (id: unknown) => (id === undefined ? {} : { id });

/** This client numbers its requests, so an answer to "7" answers 7. */
function idOf(id: unknown): unknown {
  if (id === null) return undefined;
  return typeof id === "string" && String(Number(id)) === id ? Number(id) : id;
}

function mendError(error: unknown): object {
  const { code, message, data, ...more }: Fields = isFields(error) ? error : { message: error };
  const number = code === null ? Number.NaN : Number(code);
  return {
    code: Number.isSafeInteger(number) ? number : ErrorCode.InternalError,
    message: typeof message === "string" ? message : JSON.stringify(message ?? more),
    data: markServerError(data ?? undefined),
  };
}

function mendResult(result: unknown): Fields {
  if (!isFields(result)) return { content: result };
  const { _meta, ...fields } = result;
  const version = fields.protocolVersion;
  if (typeof version !== "string" && typeof version !== "number") return fields;
  const { name, version: ofServer } = isFields(fields.serverInfo) ? fields.serverInfo : {};
  return {
    protocolVersion: String(version),
    capabilities: isFields(fields.capabilities) && fields.capabilities.tools ? { tools: {} } : {},
    serverInfo: { name: String(name ?? "unknown"), version: String(ofServer ?? "unknown") },
  };
}

/** Of a request or a notification. */
function mendParams({ _meta, ...params }: Fields): Fields {
  const present = Object.entries(params).filter(([, value]) => value !== null);
  const mended = present.map(([key, value]) => [key, NUMBERS.has(key) ? asNumber(value) : value]);
  return { ...Object.fromEntries(mended), ...(isFields(_meta) ? { _meta } : {}) };
}

/** Those of a notification of progress. */
const NUMBERS = new Set(["progress", "total"]);

function asNumber(value: unknown): unknown {
  const isOther = typeof value === "string" || typeof value === "bigint";
  return isOther && Number.isFinite(Number(value)) ? Number(value) : value;
}
