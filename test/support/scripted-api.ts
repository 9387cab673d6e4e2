/** An API whose answers a test writes down one by one, to show what a client makes of each. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import { startLoopbackServer } from "./loopback-server.ts";

export type SeenRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
};

export type Step = (response: ServerResponse, request: SeenRequest) => void;

/** The last step answers all further requests. The server is closed when the test ends. */
export async function startScriptedApi(...steps: readonly Step[]) {
  const requests: SeenRequest[] = [];
  let open = 0;
  const server = await startLoopbackServer((body, response, { method = "", url: path = "", headers }) => {
    const seen = { method, path, headers, body };
    const step = steps[Math.min(requests.length, steps.length - 1)];
    requests.push(seen);
    open += 1;
    response.on("close", () => {
      open -= 1;
    });
    step?.(response, seen);
  });
  onTestFinished(server.close);
  return {
    origin: server.origin,
    requests,
    /** How many requests have no whole answer, and still a connection. */
    open: () => open,
  };
}

export const JOB = "019a8d3e-5301-7b92-9c0d-4e5f6a7b8c9d";

export const frame = (id: number, event: string, data: unknown): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
export const text = (id: number, content: string): string => frame(id, "message", { content, type: "text" });
export const done = (id: number, status = "completed"): string =>
  frame(id, "done", { session_id: null, job_id: JOB, status, usage: null, finish_reason: "stop" });

/** So that clients come back without a pause. */
const AT_ONCE = "retry: 1\n\n";

const head = (response: ServerResponse): ServerResponse =>
  response.writeHead(200, { "Content-Type": "text/event-stream; charset=utf-8", "X-Job-Id": JOB });

/** The frames, and the end of the response. */
export const stream =
  (...frames: readonly string[]): Step =>
  (response) =>
    head(response).end(AT_ONCE + frames.join(""));

/** The frames, and a reset connection. */
export const cut =
  (bytes: string | Uint8Array): Step =>
  (response) =>
    head(response).write(bytes, () => response.destroy());

/** The frames, and then nothing. */
export const hang =
  (...frames: readonly string[]): Step =>
  (response) => {
    head(response).write(AT_ONCE + frames.join(""));
  };

export const answer =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Step =>
  (response) => {
    const isJson = typeof body !== "string";
    const type = isJson ? "application/json" : "text/html";
    response.writeHead(status, { "Content-Type": type, ...headers }).end(isJson ? JSON.stringify(body) : body);
  };

/** An error in the platform's format. */
export const refuse = (status: number, code: string, headers: Readonly<Record<string, string>> = {}): Step =>
  answer(status, { error: { message: `It is ${code}.`, type: "t", code, param: null, request_id: "r-1" } }, headers);
