/**
 * A network of its own for one process tree: a namespace whose loopback nobody else uses, in which packets can be
 * dropped for real. Needs root, `unshare`, `ip` and `iptables` on Linux.
 */
import { execFileSync } from "node:child_process";

/** Set in the environment of a process inside such a network. */
const MARK = "OWN_NETWORK";
const LOOPBACK_UP = 'ip link set lo up && exec "$0" "$@"';

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
export const ownNetwork = (command: readonly string[]) => ({
  command: ["unshare", "--net", "sh", "-c", LOOPBACK_UP, ...command] as [string, ...string[]],
  env: { [MARK]: "1" },
});

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
