/**
 * Requests that Node's parser gives up, before a route sees them: they get an error in the platform's format, and their
 * connection is closed. Nothing of them was accepted, so the client can repeat what `retryable` codes refuse. A process
 * that was paused answers `request_timeout` to requests that were on their way meanwhile.
 */
import { randomUUID } from "node:crypto";
import { type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { FormatError } from "./door.ts";

export function answerBrokenRequests(server: Server, formatError: FormatError): void {
  const responses = new WeakMap<Socket, ServerResponse>();
  server.on("request", ({ socket }, response) => responses.set(socket, response));

  server.on("clientError", (failure: NodeJS.ErrnoException, socket: Socket) => {
    const code = codeOf(failure.code ?? "");
    const response = responses.get(socket);
    const isAnswering = response?.headersSent && !response.writableFinished;
    if (code === null || isAnswering || !socket.writable) socket.destroy();
    else socket.end(answer(new PlatformError(code), formatError));
  });
}

/** Null for a connection that broke: nobody is there to read an answer. */
function codeOf(failure: string): ErrorCode | null {
  if (failure === "ERR_HTTP_REQUEST_TIMEOUT") return "request_timeout";
  if (failure === "HPE_HEADER_OVERFLOW") return "headers_too_large";
  return failure.startsWith("HPE_") ? "invalid_http" : null;
}

function answer(error: PlatformError, formatError: FormatError): string {
  const body = JSON.stringify(formatError(error, randomUUID()));
  const head = [
    `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
    "Content-Type: application/json; charset=utf-8",
    `Content-Length: ${Buffer.byteLength(body)}`,
    "Connection: close",
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
