/**
 * The connections of this package's HTTP clients: to the model, to MCP servers, to Chroma. HTTP has no ping, so nobody
 * can ask a link whether it still lives. Instead:
 *
 * - An idle connection is closed after `IDLE_MS`, even if the server offers to keep it for longer: a request is never
 *   sent on a connection that may have been dead for minutes.
 * - A connection carries one request at a time (no HTTP/2): further requests never join one on a dead connection.
 * - A connection that waits for its answer is probed by TCP, and fails within 9 s when no packet arrives any more; so
 *   does one whose request is not acknowledged (watch-repeats.ts). How long an answer may take if its packets do arrive
 *   is the caller's decision.
 */
import { Agent, buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool, setGlobalDispatcher } from "undici";
import { createRepeatWatch } from "./watch-repeats.ts";

const IDLE_MS = 4_000;
/** The first probe after this silence, then one per interval; this many without an answer end the connection. */
const PROBE = { afterMs: 4_000, intervalMs: 1_000, count: 5 } as const;

/** Where requests go instead of to their host. */
export type ProxySettings = {
  /** The proxy of `http:` addresses, as a URL. Default: none. */
  readonly http?: string | undefined;
  /** The proxy of `https:` addresses. Default: that of `http:` ones. */
  readonly https?: string | undefined;
  /** Hosts to which requests go directly: `host`, `host:port`, `.suffix`, `*`, separated by commas. */
  readonly bypass?: string | undefined;
};

export type HttpAgentOptions = {
  /** Default: 10 s. */
  readonly connectMs?: number;
  /** Default: none. */
  readonly proxy?: ProxySettings | undefined;
  /** Until the head of a response, and between two pieces of its body, ms; 0 leaves both to the caller. */
  readonly headersTimeout?: number;
  readonly bodyTimeout?: number;
};

/** The caller must destroy it. */
export function createHttpAgent({ connectMs = 10_000, proxy, ...timeouts }: HttpAgentOptions = {}): Dispatcher {
  const repeats = createRepeatWatch();
  /** Probes the connections that `connect` opens. */
  const probed =
    (connect: buildConnector.connector): buildConnector.connector =>
    (target, callback) =>
      connect(target, (...result) => {
        const [, socket] = result;
        if (socket) {
          socket.setKeepAlive(true, PROBE.afterMs, PROBE.intervalMs, PROBE.count);
          repeats.watch(socket);
        }
        callback(...result);
      });
  const connections = { ...timeouts, keepAliveTimeout: IDLE_MS, keepAliveMaxTimeout: IDLE_MS, allowH2: false };
  const connect = buildConnector({ timeout: connectMs, allowH2: false });
  if (proxy?.http === undefined && proxy?.https === undefined) {
    return new Agent({ ...connections, connect: probed(connect) });
  }
  /** The connections to one address, also those to the proxy itself, of which the package has only the connector. */
  const pool = (origin: string | URL, options: Pool.Options) =>
    new Pool(origin, {
      ...connections,
      ...options,
      ...(typeof options.connect === "function" ? { connect: probed(options.connect) } : {}),
    });
  return new EnvHttpProxyAgent({
    ...{ ...connections, connect, connectTimeout: connectMs, factory: pool, clientFactory: pool },
    // Empty and not absent: the package would read the environment.
    httpProxy: proxy.http ?? "",
    httpsProxy: proxy.https ?? "",
    noProxy: proxy.bypass ?? "",
  });
}

/** From now on `fetch` uses this agent, also in the MCP SDK, in Chroma's client and in plugins. */
export const useForFetch = (agent: Dispatcher): void => setGlobalDispatcher(agent);
