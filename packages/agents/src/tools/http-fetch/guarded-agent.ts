/**
 * An HTTP agent that connects to public addresses only. The addresses are checked when the socket is about to connect,
 * and it connects to those very addresses: a name that resolves anew to another one gains nothing by it.
 */
import type { LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { Agent, buildConnector } from "undici";
import { ToolError } from "../tool.ts";
import type { AllowedHosts } from "./allowed-hosts.ts";
import { isPublicAddress } from "./public-address.ts";

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** For one call; whoever makes it destroys it. It begins no connection once the signal has aborted. */
export function createGuardedAgent(allowed: AllowedHosts, resolve: Resolve, signal: AbortSignal): Agent {
  const connectChecked = buildConnector({ lookup: guardedLookup(resolve, signal), allowH2: false });
  return new Agent({
    // Every request, also one after a redirect, has a connection of its own.
    pipelining: 0,
    connect(target, callback) {
      // An address does not go through the lookup.
      if (isIP(target.hostname) !== 0 && !isPublicAddress(target.hostname) && !allowed.lists(target)) {
        callback(notPublic(target.hostname), null);
      } else {
        connectChecked(target, callback);
      }
    },
  });
}

/** As `net.connect` calls it. A name with one address that is not public is refused whole. */
function guardedLookup(resolve: Resolve, signal: AbortSignal): LookupFunction {
  return (hostname, options, callback) => {
    const answer = async () => {
      const addresses = await resolve(hostname);
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

/** Names no address: what the platform's own network holds is not for the model. */
const notPublic = (hostname: string): ToolError =>
  new ToolError(`"${hostname}" is not a public address, or does not lead to one; it may not be fetched.`);
