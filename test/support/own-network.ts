/**
 * A network of its own for one process tree: a namespace whose loopback nobody else uses, in which packets can be
 * dropped for real. Needs root, `unshare`, `ip` and `iptables` on Linux.
 */
import { execFileSync } from "node:child_process";

/** Set in the environment of a process inside such a network. */
const MARK = "OWN_NETWORK";
const LOOPBACK_UP = 'ip link set lo up && exec "$0" "$@"';
/** Where `ip netns` keeps the names of networks; in a mount namespace they are seen by nobody else. */
const OWN_NAMES = "mkdir -p /run/netns && mount -t tmpfs networks /run/netns";

/** `hosts`: further networks can be made in it with `ip netns`; they end with it as well. */
export type OwnNetwork = { readonly hosts?: boolean };

export const isInOwnNetwork = process.env[MARK] === "1";

export function canHaveOwnNetwork(): boolean {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  try {
    const [command, ...args] = ownNetwork(["iptables", "--wait", "--list", "INPUT"]).command;
    execFileSync(command, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** How a command is started in a network of its own, with what its environment needs in addition. */
export function ownNetwork(command: readonly string[], { hosts = false }: OwnNetwork = {}) {
  const unshare = ["unshare", "--net", ...(hosts ? ["--mount"] : [])];
  const setUp = hosts ? `${OWN_NAMES} && ${LOOPBACK_UP}` : LOOPBACK_UP;
  return { command: [...unshare, "sh", "-c", setUp, ...command] as [string, ...string[]], env: { [MARK]: "1" } };
}

/**
 * Begins this process anew inside a network of its own. It is replaced, so its terminal, its signals and its exit code
 * stay those of whoever started it; and with its last process the network disappears, however that process ends.
 */
export function restartInOwnNetwork(options: OwnNetwork = {}): never {
  const own = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const { command, env } = ownNetwork(own, options);
  process.execve?.("/usr/bin/env", ["env", ...command], { ...process.env, ...env });
  throw new Error("This system cannot replace a process");
}

/** Drops every TCP packet to and from a port of loopback. Returns what ends it. Only inside a network of its own. */
export function dropPackets(port: number): () => void {
  if (!isInOwnNetwork) throw new Error("packets are dropped in a network of one's own only");
  const rules = ["--dport", "--sport"].map((end) => ["INPUT", "-p", "tcp", end, String(port), "-j", "DROP"]);
  const change = (action: "--append" | "--delete") => {
    for (const rule of rules) execFileSync("iptables", ["--wait", action, ...rule]);
  };
  change("--append");
  return () => change("--delete");
}
