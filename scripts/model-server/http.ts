/** HTTP helpers of the routes: reading bodies, sending JSON and errors. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { ApiError } from "./api-error.ts";

const MAX_BODY_BYTES = 32 * 1024 * 1024;

export type Exchange = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The variable segment of the path; empty if the route has none. */
  readonly parameter: string;
};

export type Handler = (exchange: Exchange) => void | Promise<void>;

export async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    // The rest is read and dropped: leaving the loop would reset the connection before the client sees the response.
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  if (size > MAX_BODY_BYTES) throw new ApiError(413, `The body is larger than ${MAX_BODY_BYTES} bytes.`);
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new ApiError(400, "We could not parse the JSON body of your request.");
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

export function sendError(response: ServerResponse, error: unknown): void {
  const known =
    error instanceof ApiError ? error : new ApiError(500, `Model server: ${String(error)}`, { type: "server_error" });
  sendJson(response, known.status, known.body, known.details.headers);
}

export function bearerOf(request: IncomingMessage): string {
  return /^Bearer\s+(.*)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
}
