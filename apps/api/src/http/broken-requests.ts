/**
 * Requests that Node's parser gives up, before a route sees them: they get an error in the platform's format, and their
 * connection is closed. Nothing of them was accepted, so the client can repeat what `retryable` codes refuse.
 */
import { randomUUID } from "node:crypto";
import { type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { FormatError } from "./door.ts";

/** How long the rest of a request may take that came while this process did not run. */
const REST_WITHIN_MS = 10 * SECOND;

type Exchange = { readonly request: IncomingMessage; readonly response: ServerResponse };

export function answerBrokenRequests(server: Server, formatError: FormatError): void {
  const latest = new WeakMap<Socket, Exchange>();
  server.on("request", (request, response) => latest.set(request.socket, { request, response }));

  function refuse(socket: Socket, code: ErrorCode): void {
    const response = latest.get(socket)?.response;
    const isAnswering = response?.headersSent && !response.writableFinished;
    if (isAnswering || !socket.writable) socket.destroy();
    else socket.end(answer(new PlatformError(code), formatError));
  }

  /**
   * A process that was paused or busy looks at its clock before it reads what came meanwhile: only what has not come by
   * the end of this turn of the event loop is late. A connection without a single byte is closed without a word: a
   * client that opened it in advance would take a 408 for the answer to the request that it sends at this moment.
   */
  function judgeLateness(socket: Socket): void {
    const { bytesRead } = socket;
    const before = latest.get(socket);
    setImmediate(() => {
      if (socket.bytesRead === 0) socket.destroy();
      else if (socket.bytesRead === bytesRead) refuse(socket, "request_timeout");
      else setTimeout(refuseUnlessComplete, REST_WITHIN_MS).unref();
    });

    // Node has stopped to watch this request.
    function refuseUnlessComplete(): void {
      const exchange = latest.get(socket);
      if (exchange === before || exchange?.request.complete === false) refuse(socket, "request_timeout");
    }
  }

  server.on("clientError", (failure: NodeJS.ErrnoException, socket: Socket) => {
    const code = codeOf(failure.code ?? "");
    if (code === null) socket.destroy();
    else if (code === "request_timeout") judgeLateness(socket);
    else refuse(socket, code);
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
