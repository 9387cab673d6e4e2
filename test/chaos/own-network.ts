/** Runs this process again inside a network of its own, in which it may drop packets. */
import { spawnSync } from "node:child_process";
import { canHaveOwnNetwork, isInOwnNetwork, ownNetwork } from "../support/own-network.ts";

/** Does not return if there is such a network; returns at once inside it. */
export function enterOwnNetwork(): void {
  if (isInOwnNetwork) return;
  if (!canHaveOwnNetwork()) {
    console.error("packets cannot be dropped here (root on Linux with iptables can): proxies swallow them instead");
    return;
  }
  const { command, env } = ownNetwork([process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
  const [file, ...args] = command;
  const { status } = spawnSync(file, args, { stdio: "inherit", env: { ...process.env, ...env } });
  process.exit(status ?? 1);
}
