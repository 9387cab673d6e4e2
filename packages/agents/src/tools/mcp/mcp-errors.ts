/** What the SDK's errors say about a request: answered, not let in, or unknown. */
import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ErrorCode, McpError } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

const MAX_CHARS = 300;
/** Codes that the SDK itself uses for requests that nobody answered. */
const NO_ANSWER: readonly number[] = [ErrorCode.RequestTimeout, ErrorCode.ConnectionClosed];

/** The server answered, if only with an error, or with what the protocol does not know. */
export const isAnswer = (error: unknown): boolean =>
  error instanceof z.core.$ZodError || (error instanceof McpError && !NO_ANSWER.includes(error.code));

/** The server has certainly not begun: it refused the request, as with a session that it has forgotten, or the connection. */
export function wasRefused(error: unknown): boolean {
  if (error instanceof StreamableHTTPError) return error.code !== undefined && error.code >= 400 && error.code < 500;
  return error instanceof TypeError && causeCode(error) === "ECONNREFUSED";
}

/** For the log: the provider's own text may be long. */
export function describeError(error: unknown): string {
  if (error instanceof StreamableHTTPError && error.code !== undefined && error.code > 0) {
    return `HTTP ${error.code}: ${error.message}`.slice(0, MAX_CHARS);
  }
  if (error instanceof z.core.$ZodError)
    return `its answer is not what the protocol has: ${z.prettifyError(error)}`.slice(0, MAX_CHARS);
  if (!(error instanceof Error)) return String(error).slice(0, MAX_CHARS);
  return [error.message, causeCode(error)].filter(Boolean).join(": ").slice(0, MAX_CHARS);
}

const causeCode = ({ cause }: Error): string | undefined => (cause as NodeJS.ErrnoException | undefined)?.code;
