/** Classifies the SDK's errors: the server answered, the server refused the request, or its fate is unknown. */
import { cutText } from "@agent-paas/shared/text.ts";
import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ErrorCode, McpError } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

const MAX_CHARS = 300;
/** How much of a server's own words about a failure the model reads. */
const MAX_QUOTED_CHARS = 120;
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
    return cutText(`HTTP ${error.code}: ${error.message}`, MAX_CHARS);
  }
  if (error instanceof z.core.$ZodError)
    return cutText(`its answer is not what the protocol has: ${z.prettifyError(error)}`, MAX_CHARS);
  if (!(error instanceof Error)) return cutText(String(error), MAX_CHARS);
  return cutText([error.message, causeCode(error)].filter(Boolean).join(": "), MAX_CHARS);
}

/**
 * The error as the model reads it. What a server says about its failure may be anything, an instruction as well, so it
 * is short, in quotes on one line, and marked as the server's.
 */
export function describeToModel(error: unknown): string {
  if (error instanceof StreamableHTTPError && error.code !== undefined && error.code > 0) {
    return `HTTP ${error.code}, in the server's own words: ${quote(error.message)}`;
  }
  if (error instanceof McpError) return `in the server's own words: ${quote(error.message)}`;
  return describeError(error);
}

/** JSON's quotes escape line breaks and quotes within. */
const quote = (words: string): string =>
  words.length <= MAX_QUOTED_CHARS
    ? JSON.stringify(words)
    : `${JSON.stringify(cutText(words, MAX_QUOTED_CHARS))} (cut)`;

const causeCode = ({ cause }: Error): string | undefined => (cause as NodeJS.ErrnoException | undefined)?.code;
