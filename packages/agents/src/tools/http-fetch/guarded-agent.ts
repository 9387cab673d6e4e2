/**
 * An HTTP agent that connects to public addresses only. The addresses are checked when the socket is about to connect,
 * and the socket uses exactly those addresses, so a name that resolves differently a moment later (DNS rebinding)
 * fails.
 */
import type { LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { Agent, buildConnector } from "undici";
import { ToolError } from "../tool.ts";
import type { AllowedHosts } from "./allowed-hosts.ts";
import { isPublicAddress } from "./public-address.ts";

/** Resolves a name to all its addresses. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Creates the agent of one call; the caller must destroy it. It opens no connection once the signal has aborted. */
export function createGuardedAgent(allowed: AllowedHosts, resolve: Resolve, signal: AbortSignal): Agent {
  const connectChecked = buildConnector({ lookup: guardedLookup(resolve, signal), allowH2: false });
  return new Agent({
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
}

/**
 * A `lookup` for `net.connect`. A name is refused if any one of its addresses is not public, and with the same words if
 * it has none: a different answer would tell the model which names exist inside the platform's network.
 */
function guardedLookup(resolve: Resolve, signal: AbortSignal): LookupFunction {
  return (hostname, options, callback) => {
    const answer = async () => {
      const addresses = await resolve(hostname).catch((cause: unknown) => {
        throw notPublic(hostname, cause);
      });
      signal.throwIfAborted();
      if (addresses.length === 0 || !addresses.every(({ address }) => isPublicAddress(address)))
        throw notPublic(hostname);
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
const notPublic = (hostname: string, cause?: unknown): ToolError =>
  new ToolError(`"${hostname}" is not a public address, or does not lead to one; it may not be fetched.`, { cause });
