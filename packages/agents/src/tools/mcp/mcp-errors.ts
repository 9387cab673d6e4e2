/** Classifies the SDK's errors: the server answered, the server refused the request, or its fate is unknown. */
import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ErrorCode, McpError } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

const MAX_CHARS = 300;
/** The SDK's own codes for requests without an answer. */
const NO_ANSWER: readonly number[] = [ErrorCode.RequestTimeout, ErrorCode.ConnectionClosed];

/** The server answered, be it with an error or with a message that violates the protocol. */
export const isAnswer = (error: unknown): boolean =>
  error instanceof z.core.$ZodError || (error instanceof McpError && !NO_ANSWER.includes(error.code));

/** The server has certainly not begun the call: it refused the connection or the request (an expired session). */
export function wasRefused(error: unknown): boolean {
  if (error instanceof StreamableHTTPError) return error.code !== undefined && error.code >= 400 && error.code < 500;
  return error instanceof TypeError && causeCode(error) === "ECONNREFUSED";
}

/** A short text of the error: the server's own message may be long. */
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
