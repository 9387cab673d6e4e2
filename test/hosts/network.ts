/**
 * Hosts on one machine: network namespaces with addresses of their own, whose cables lead to one bridge. This process
 * stands at the bridge, as clients and the model's provider do, and takes links away without a word to anybody. The
 * hosts exist inside a network of this process' own (test/support/own-network.ts), and end with it.
 */
import { execFileSync } from "node:child_process";
import type { ChildSpec } from "../../scripts/services/child.ts";
import { isInOwnNetwork, ownNetwork } from "../support/own-network.ts";

const BRIDGE = "bridge";
/** In every host. */
const CABLE = "eth0";
const SUBNET = "10.77.0";
/** Of this process. */
export const OWN_ADDRESS = `${SUBNET}.1`;

/** Which ports outgoing connections have; the second half is for those that are opened later. */
const PORTS = { first: "32768 45999", second: "46000 60999" };
const FIRST_PORTS = PORTS.first.replace(" ", ":");

/**
 * `link`: the cable is pulled at the bridge. `both`, `in`, `out`: packets are dropped in both directions or one.
 * `opened`: only packets of connections that the host has opened until now, as by a firewall that forgets them.
 */
export type Cut = "link" | "both" | "in" | "out" | "opened";

export type Host = {
  readonly name: string;
  readonly address: string;
  /** The same command on this host. */
  place(spec: ChildSpec): ChildSpec;
  /** Closes no connection. */
  cut(how: Cut): void;
  /** Ends the cut, if there is one. */
  heal(): void;
};

const run = (command: string, ...args: string[]): void => void execFileSync(command, args, { stdio: "pipe" });

const within = (name: string): string[] => [`--net=/run/netns/${name}`];

/** Why hosts cannot be made here; undefined if they can. */
export function hostsProblem(): string | undefined {
  if (process.platform !== "linux") return "it needs network namespaces, which only Linux has";
  if (process.getuid?.() !== 0) return "it makes network namespaces, for which it must be started by root";
  try {
    const [inside, user] = [`nsenter ${within("a").join(" ")}`, "--setuid=65534 --setgid=65534"];
    const trials = [
      `ip link add ${BRIDGE} type bridge`,
      "ip netns add a",
      `${inside} iptables -L`,
      `${inside} ${user} true`,
    ];
    const [command, ...args] = ownNetwork(["sh", "-c", trials.join(" && ")], { hosts: true }).command;
    run(command, ...args);
    return undefined;
  } catch (error) {
    return `it needs unshare, nsenter, ip and iptables, and the right to use them:\n${(error as Error).message}`;
  }
}

export function createHosts<Name extends string>(names: readonly Name[]): Record<Name, Host> {
  if (!isInOwnNetwork) throw new Error("hosts are made in a network of one's own only");
  run("ip", "link", "add", BRIDGE, "type", "bridge");
  run("ip", "address", "add", `${OWN_ADDRESS}/24`, "dev", BRIDGE);
  run("ip", "link", "set", BRIDGE, "up");
  const hosts = names.map((name, at) => [name, createHost(name, `${SUBNET}.${11 + at}`)]);
  return Object.fromEntries(hosts) as Record<Name, Host>;
}

function createHost(name: string, address: string): Host {
  const socket = `to-${name}`;
  run("ip", "netns", "add", name);
  run("ip", "link", "add", socket, "type", "veth", "peer", "name", CABLE, "netns", name);
  run("ip", "link", "set", socket, "master", BRIDGE, "up");
  run("ip", "-netns", name, "address", "add", `${address}/24`, "dev", CABLE);
  run("ip", "-netns", name, "link", "set", CABLE, "up");
  run("ip", "-netns", name, "link", "set", "lo", "up");

  const inside = (command: string, ...args: string[]) => run("nsenter", ...within(name), command, ...args);
  const openFrom = (ports: string) => inside("sh", "-c", `echo ${ports} > /proc/sys/net/ipv4/ip_local_port_range`);
  openFrom(PORTS.first);

  const incoming = ["INPUT", "--in-interface", CABLE];
  const outgoing = ["OUTPUT", "--out-interface", CABLE];

  /** Returns what ends it. */
  function drop(rules: readonly (readonly string[])[]): () => void {
    const change = (action: "--append" | "--delete") => {
      for (const [chain = "", ...rule] of rules) inside("iptables", "--wait", action, chain, ...rule, "--jump", "DROP");
    };
    change("--append");
    return () => change("--delete");
  }

  function dropOpened(): () => void {
    openFrom(PORTS.second);
    const tcp = ["--protocol", "tcp"];
    const end = drop([
      [...incoming, ...tcp, "--dport", FIRST_PORTS],
      [...outgoing, ...tcp, "--sport", FIRST_PORTS],
    ]);
    return () => {
      openFrom(PORTS.first);
      end();
    };
  }

  function pullCable(): () => void {
    run("ip", "link", "set", socket, "down");
    return () => run("ip", "link", "set", socket, "up");
  }

  const cuts: Readonly<Record<Cut, () => () => void>> = {
    link: pullCable,
    both: () => drop([incoming, outgoing]),
    in: () => drop([incoming]),
    out: () => drop([outgoing]),
    opened: dropOpened,
  };
  let end: (() => void) | undefined;

  return {
    ...{ name, address },
    place({ user, ...spec }) {
      const as = user === undefined ? [] : [`--setuid=${user.uid}`, `--setgid=${user.gid}`];
      return { ...spec, command: "nsenter", args: [...within(name), ...as, spec.command, ...spec.args] };
    },
    cut(how) {
      this.heal();
      end = cuts[how]();
    },
    heal() {
      end?.();
      end = undefined;
    },
  };
}
