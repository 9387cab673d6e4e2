/**
 * An HTTP agent that connects to public addresses only. The addresses are checked when the socket is about to connect,
 * and the socket uses exactly those addresses, so a name that resolves differently a moment later (DNS rebinding)
 * fails.
 *
 * Invariant: all refusals of names are alike, in their words and in their time. A quick one would tell the model that a
 * name exists inside the platform's network, a slow one that nobody knows it.
 *
 * Through a proxy the socket is the proxy's, and so is the last word on addresses. What this side can know is checked
 * before each request all the same: an address in the URL, and those of a name that it can resolve.
 */
import type { LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Agent, buildConnector, ProxyAgent } from "undici";
import { ToolError } from "../tool.ts";
import { type AllowedHosts, plainHost } from "./allowed-hosts.ts";
import { isPublicAddress } from "./public-address.ts";

/** Resolves a name to all its addresses. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

export type GuardOptions = {
  readonly resolve: Resolve;
  /** When a name is refused, ms. One that is not resolved by then is refused as well. */
  readonly refusedAfterMs: number;
  readonly signal: AbortSignal;
};

/** How one call reaches its hosts. The caller must destroy the dispatcher. */
export type GuardedAgent = {
  readonly dispatcher: Agent | ProxyAgent;
  /** To be awaited before each request. Throws a `ToolError` for a target that may not be fetched. */
  check(target: URL): Promise<void>;
};

/** Reaches them through the proxy, an `http:` or `https:` URL. */
export function createProxiedAgent(proxy: string, allowed: AllowedHosts, options: GuardOptions): GuardedAgent {
  const { resolve, refusedAfterMs, signal } = options;
  return {
    dispatcher: new ProxyAgent({ uri: proxy, pipelining: 0, proxyTunnel: false }),
    async check(target) {
      const host = plainHost(target.hostname);
      if (allowed.lists(target)) return;
      if (isIP(host) !== 0) {
        if (!isPublicAddress(host)) throw notPublic(target.hostname);
        return;
      }
      // Behind a proxy many names cannot be resolved: they are left to it.
      const found = await Promise.race([
        resolve(host).catch(() => []),
        delay(refusedAfterMs, [], { signal }).catch(() => []),
      ]);
      signal.throwIfAborted();
      if (!found.every(({ address }) => isPublicAddress(address))) throw notPublic(target.hostname);
    },
  };
}

/** Connects to them directly. It opens no connection once the signal has aborted. */
export function createGuardedAgent(allowed: AllowedHosts, options: GuardOptions): GuardedAgent {
  const connectChecked = buildConnector({ lookup: guardedLookup(options), allowH2: false });
  const dispatcher = new Agent({
    // Every request, also the one after a redirect, gets a connection of its own, so its address is checked.
    pipelining: 0,
    connect(target, callback) {
      // `lookup` is not called for an IP address.
      if (isIP(target.hostname) !== 0 && !isPublicAddress(target.hostname) && !allowed.lists(target)) {
        callback(notPublic(target.hostname), null);
      } else {
        connectChecked(target, callback);
      }
    },
  });
  // Its connections are checked, and nobody else knows their addresses.
  return { dispatcher, check: async () => {} };
}

/**
 * A `lookup` for `net.connect`. A name is refused if it has no address, or if any one of its addresses is not public.
 */
function guardedLookup({ resolve, refusedAfterMs, signal }: GuardOptions): LookupFunction {
  return (hostname, options, callback) => {
    const answer = async () => {
      const answered = new AbortController();
      const refusal = delay(refusedAfterMs, null, { signal: AbortSignal.any([signal, answered.signal]) });
      const isUsable = ({ address }: LookupAddress) => isPublicAddress(address);
      const found = resolve(hostname).then(
        (addresses) => (addresses.length > 0 && addresses.every(isUsable) ? addresses : refusal),
        () => refusal,
      );
      // Whichever of the two comes second may reject when nobody waits for it any more.
      found.catch(() => {});
      const addresses = await Promise.race([found, refusal]).finally(() => answered.abort());
      signal.throwIfAborted();
      if (addresses === null) throw notPublic(hostname);
      return addresses;
    };
    answer().then(
      ([...addresses]) => {
        const [first] = addresses;
        if (options.all) callback(null, addresses);
        else callback(null, first?.address ?? "", first?.family);
      },
      (error) => callback(error, ""),
    );
  };
}

/** The message has no address, because the model must not learn the structure of the platform's network. */
const notPublic = (hostname: string): ToolError =>
  new ToolError(`"${hostname}" is not a public address, or does not lead to one; it may not be fetched.`);
