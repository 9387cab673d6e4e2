/** Runs this process again inside a network of its own, in which it may drop packets. */
import { canHaveOwnNetwork, isInOwnNetwork, restartInOwnNetwork } from "../support/own-network.ts";

/** Does not return if there is such a network; returns at once inside it. */
export function enterOwnNetwork(): void {
  if (isInOwnNetwork) return;
  if (canHaveOwnNetwork()) restartInOwnNetwork();
  console.error("packets cannot be dropped here (root on Linux with iptables can): proxies swallow them instead");
}
