/** Classifies the SDK's errors: the server answered, the server refused the request, or its fate is unknown. */
import { isFields } from "@agent-paas/shared/json/fields.ts";
import { cutText } from "@agent-paas/shared/text.ts";
import { SseError } from "@modelcontextprotocol/sdk/client/sse.js";
import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ErrorCode, McpError } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { asJson } from "./as-json.ts";

const MAX_CHARS = 300;
/** How much of a server's own words about a failure the model reads. */
const MAX_QUOTED_CHARS = 120;
/** And how much of the data that it adds to them. */
const MAX_QUOTED_DATA_CHARS = 600;

/**
 * The SDK's errors for requests without an answer have codes that servers use as well, so what arrived is marked: as
 * the server's own, or as the report of this client's transport.
 */
type Mark = { readonly from: "server" | "transport"; readonly data?: unknown };
export const markServerError = (data: unknown): Mark => ({ from: "server", data });

/** The answer to a request whose stream ended without one. */
export const brokenAnswer = (id: number, why: string): object => ({
  jsonrpc: "2.0",
  id,
  error: {
    code: ErrorCode.InternalError,
    message: `the server's answer ${why} before the result; whether the call took effect is not known`,
    data: { from: "transport" } satisfies Mark,
  },
});

const markOf = (error: unknown): Mark | null =>
  error instanceof McpError && isFields(error.data) && (error.data.from === "server" || error.data.from === "transport")
    ? { from: error.data.from, data: error.data.data }
    : null;

/** The server answered, be it with an error or with a message that violates the protocol. */
export const isAnswer = (error: unknown): boolean => error instanceof z.core.$ZodError || markOf(error) !== null;

/** The server has certainly not begun the call: it refused the connection or the request (an expired session). */
export function wasRefused(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== null) return status >= 400 && status < 500;
  return error instanceof TypeError && causeCode(error) === "ECONNREFUSED";
}

/** The HTTP status that the server answered with instead of a message, if the error is one. */
export function statusOf(error: unknown): number | null {
  const isStatus = error instanceof StreamableHTTPError || error instanceof SseError;
  return isStatus && error.code !== undefined && error.code > 0 ? error.code : null;
}

/** A short text of the error: the server's own message may be long. */
export function describeError(error: unknown): string {
  const status = statusOf(error);
  if (status === 401 || status === 403) return `HTTP ${status}: ${NO_ACCESS}`;
  if (status !== null) return cutText(`HTTP ${status}: ${wordsOf(error)}`, MAX_CHARS);
  if (error instanceof z.core.$ZodError)
    return cutText(`its answer is not what the protocol has: ${z.prettifyError(error)}`, MAX_CHARS);
  if (!(error instanceof Error)) return cutText(String(error), MAX_CHARS);
  return cutText([error.message, causeCode(error)].filter(Boolean).join(": "), MAX_CHARS);
}

const NO_ACCESS =
  "it refuses access; a key or token belongs into the server's `headers` in MCP_SERVERS (OAuth is not supported)";

/**
 * The error as the model reads it. What a server says about its failure may be anything, an instruction as well, so it
 * is short, in quotes on one line, and marked as the server's.
 */
export function describeToModel(error: unknown): string {
  const status = statusOf(error);
  if (status !== null) return `HTTP ${status}, in the server's own words: ${quote(wordsOf(error))}`;
  const mark = markOf(error);
  if (!(error instanceof McpError) || mark === null) return describeError(error);
  const words = wordsOf(error);
  if (mark.from === "transport") return words;
  const data = mark.data === undefined ? "" : (asJson(mark.data) ?? "");
  const details = data === "" || words.includes(data) ? "" : `, with the data ${quote(data, MAX_QUOTED_DATA_CHARS)}`;
  const person = error.code === ErrorCode.UrlElicitationRequired ? `${NEEDS_PERSON}; ` : "";
  return `${person}in the server's own words: ${quote(words)} (error ${error.code})${details}`;
}

const NEEDS_PERSON = "it needs a person to open an address, and the platform cannot ask a person yet";

/** JSON's quotes escape line breaks and quotes within. */
const quote = (words: string, maxChars = MAX_QUOTED_CHARS): string =>
  words.length <= maxChars ? JSON.stringify(words) : `${JSON.stringify(cutText(words, maxChars))} (cut)`;

/** The message without what the SDK puts before it. */
function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const prefix = error instanceof McpError ? `MCP error ${error.code}: ` : POSTING;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}
const POSTING = "Streamable HTTP error: Error POSTing to endpoint: ";

const causeCode = ({ cause }: Error): string | undefined => (cause as NodeJS.ErrnoException | undefined)?.code;
