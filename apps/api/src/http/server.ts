/** The HTTP server: its limits, its start, and a stop that does not wait for idle connections. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { OpenResponses } from "../events/open-responses.ts";
import { answerBrokenRequests } from "./broken-requests.ts";
import type { FormatError } from "./door.ts";

/** Limits of a connection. `requestTimeout` bounds the receipt of a request, so it cuts no stream. */
const SERVER_LIMITS = {
  requestTimeout: 30 * SECOND,
  headersTimeout: 10 * SECOND,
  // How often the two limits above are checked. Node's default of 30 s lets a socket with half a request live for 40 s.
  connectionsCheckingInterval: SECOND,
  // Longer than the 60 s after which proxies drop idle connections: a proxy must not reuse a connection just closed.
  keepAliveTimeout: 65 * SECOND,
} as const;
const MAX_CONNECTIONS = 20_000;

export type HttpServer = {
  /** Returns the URL that it listens at. */
  listen(host: string, port: number): Promise<string>;
  /** Ends open responses at once; other requests have the grace, ms. */
  stop(openResponses: OpenResponses, graceMs: number): Promise<void>;
};

/** `formatError` formats what is said of requests that are no HTTP or do not arrive in time. */
export function createHttpServer(app: RequestListener, formatError: FormatError): HttpServer {
  const server = createServer(SERVER_LIMITS, app);
  answerBrokenRequests(server, formatError);
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = trackSockets(server);

  return {
    listen: (host, port) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
          const { port: actual } = server.address() as AddressInfo;
          resolve(`http://${host.includes(":") ? `[${host}]` : host}:${actual}`);
        });
      }),

    async stop(openResponses, graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Their clients reconnect to another process, or to the successor of this one, and resume or ask again.
      openResponses.endAll();
      server.closeIdleConnections();
      // Node does not count a connection as idle before its first request; browsers open some in advance.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(cut);
    },
  };
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}
