/**
 * The local model server: an HTTP server that implements the OpenAI API and answers without a model. `npm start` runs
 * it if there is no OPENAI_API_KEY; tests and the benchmark script its answers. README.md describes routes and
 * directives.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ApiError, incorrectKey } from "./api-error.ts";
import { CallLog } from "./call-log.ts";
import { bearerOf, type Handler, sendError } from "./http.ts";
import { Pacer } from "./pacer.ts";
import { chatCompletions } from "./routes/chat-completions.ts";
import { callsClear, callsDetails, callsList, scriptAdd, scriptClear, stats } from "./routes/control.ts";
import { embeddings } from "./routes/embeddings.ts";
import { models } from "./routes/models.ts";
import { ScriptBook } from "./script-book.ts";

export type ModelServerOptions = {
  /** Address to listen on. Default 127.0.0.1; another address exposes the control routes, which need no key. */
  readonly host?: string;
  /** Default 0, any free port. */
  readonly port?: number;
  /** The only key accepted under /v1. Default: requests with any key, or without one, are accepted. */
  readonly apiKey?: string;
  /**
   * Whether there are control routes. Default: true. They need no key and show the messages of the last calls, so
   * servers for anything but tests have none, and keep no calls.
   */
  readonly control?: boolean;
};

export type ModelServer = {
  /** For OPENAI_BASE_URL: `http://127.0.0.1:PORT/v1`. */
  readonly url: string;
  /** For `modelControl`: `http://127.0.0.1:PORT`. */
  readonly origin: string;
  readonly port: number;
  /** Closes every connection at once, even during an answer, and stops all timers. May be called again. */
  stop(): Promise<void>;
};

/** Length of the queue of connections: all streams of a load test may connect at the same moment. */
const BACKLOG = 4096;
/** Longer than clients keep idle connections, so that no connection is closed while a client sends a request. */
const KEEP_ALIVE_MS = 65_000;

export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const { host = "127.0.0.1", port = 0, apiKey, control = true } = options;
  const pacer = new Pacer();
  const find = router({ book: new ScriptBook(), log: new CallLog({ keepsCalls: control }), pacer, control });
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    void answer(request, response);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const url = new URL(request.url ?? "/", "http://model");
      if (apiKey !== undefined && url.pathname.startsWith("/v1/") && bearerOf(request) !== apiKey) {
        throw incorrectKey(bearerOf(request));
      }
      const { handler, parameter } = find(request.method ?? "GET", url.pathname);
      await handler({ request, response, url, parameter });
    } catch (error) {
      if (response.headersSent) response.destroy();
      else sendError(response, error);
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port, backlog: BACKLOG }, resolve);
  });
  const { port: actualPort } = server.address() as AddressInfo;
  const origin = `http://${reachable(host)}:${actualPort}`;

  let stopping: Promise<void> | undefined;
  return {
    url: `${origin}/v1`,
    origin,
    port: actualPort,
    stop() {
      stopping ??= new Promise((resolve) => {
        pacer.stop();
        server.close(() => resolve());
        server.closeAllConnections();
      });
      return stopping;
    },
  };
}

type Find = (method: string, path: string) => { handler: Handler; parameter: string };

type Parts = { book: ScriptBook; log: CallLog; pacer: Pacer; control: boolean };

function router({ book, log, pacer, control }: Parts): Find {
  // A path that ends in a slash matches one more segment, the parameter.
  const routes: Record<string, Handler> = {
    "POST /v1/chat/completions": chatCompletions({ book, log, pacer }),
    "POST /v1/embeddings": embeddings,
    "GET /v1/models": models,
  };
  const controlRoutes: Record<string, Handler> = {
    "POST /control/script": scriptAdd(book),
    "DELETE /control/script": scriptClear(book),
    "GET /control/calls": callsList(log),
    "GET /control/calls/": callsDetails(log),
    "DELETE /control/calls": callsClear(log),
    "GET /control/stats": stats(log, book),
  };
  if (control) Object.assign(routes, controlRoutes);
  return (method, path) => {
    const exact = routes[`${method} ${path}`];
    if (exact) return { handler: exact, parameter: "" };
    const split = path.lastIndexOf("/") + 1;
    const handler = routes[`${method} ${path.slice(0, split)}`];
    if (!handler) throw new ApiError(404, `Unknown request URL: ${method} ${path}`, { code: "unknown_url" });
    return { handler, parameter: path.slice(split) };
  };
}

/** The address under which clients reach a server that listens on `host`; IPv6 addresses need brackets. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}
