/**
 * How the servers of `REDIS_URL` are reached. The only file that knows which kind of Redis it is: for everybody else a
 * connection leads to the server of one hash tag (`keys.ts`), and stays with that tag wherever its keys move.
 */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { Command, type Redis, type RedisOptions } from "ioredis";
import type { RedisAddress, RedisTls, RedisTopology } from "../config/redis-topology.ts";
import { SECOND } from "../time.ts";
import { askServers, lookedUp, type SharedLookups, shareLookups } from "./lookup.ts";

/** How old an answer may be that connections that stand are compared with. A cluster has more servers to ask. */
const SENTINELS_ANSWERED_WITHIN_MS = SECOND;
const CLUSTER_ANSWERED_WITHIN_MS = 3 * SECOND;

export type Servers = {
  /** Whether different hash tags may be on different servers. */
  readonly isSharded: boolean;
  /** How to connect to the server that has the slot. */
  readonly optionsOf: (slot: number) => RedisOptions;
};

/** The slot of a key by its hash tag. */
export const slotOf = (key: string): number => new Command("get", [key]).getSlot();

export function serversOf(topology: RedisTopology): Servers {
  const tls = topology.tls === null ? undefined : tlsOptionsOf(topology.tls);
  const { username, password, db } = topology;
  const login = { ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
  switch (topology.kind) {
    case "single":
      return { isSharded: false, optionsOf: () => ({ ...topology.address, ...login, db, ...(tls && { tls }) }) };
    case "sentinel": {
      const { sentinels, master, sentinelLogin } = topology;
      const asked = { addresses: sentinels, ...sentinelLogin, ...(tls && { tls }) };
      const { now, recently } = kept(masterLookups, topology.url, () =>
        shareLookups(() => askServers(asked, (redis) => masterBy(redis, master)), SENTINELS_ANSWERED_WITHIN_MS),
      );
      const options = { ...lookedUp(now, recently, tls), ...login, db };
      return { isSharded: false, optionsOf: () => options };
    }
    case "cluster": {
      const asked = { ...login, ...(tls && { tls }) };
      const { now, recently } = kept(slotLookups, topology.url, () =>
        lookUpSlots(topology.nodes, (addresses) => askServers({ ...asked, addresses }, slotsBy)),
      );
      const ownerBy = (ask: () => Promise<Slots>, slot: number) => async () => ownerIn(await ask(), slot);
      const optionsOf = (slot: number) => ({ ...lookedUp(ownerBy(now, slot), ownerBy(recently, slot), tls), ...login });
      return { isSharded: true, optionsOf };
    }
  }
}

function tlsOptionsOf({ cacert, cert, key, sni }: RedisTls): ConnectionOptions {
  return {
    ...(cacert !== undefined && { ca: readFileSync(cacert) }),
    ...(cert !== undefined && { cert: readFileSync(cert) }),
    ...(key !== undefined && { key: readFileSync(key) }),
    ...(sni !== undefined && { servername: sni }),
  };
}

/** Those of all connections of this process, by URL: the servers are asked once for all of them. */
const masterLookups = new Map<string, SharedLookups<RedisAddress>>();
const slotLookups = new Map<string, SharedLookups<Slots>>();

function kept<T>(all: Map<string, T>, url: string, create: () => T): T {
  const known = all.get(url) ?? create();
  all.set(url, known);
  return known;
}

type Found = RedisAddress & { readonly epoch: number };

async function masterBy(sentinel: Redis, name: string): Promise<Found> {
  const reply: unknown = await sentinel.call("SENTINEL", "MASTER", name);
  const fields = Array.isArray(reply) ? reply.map(String) : [];
  const field = (wanted: string) => fields[fields.findIndex((one, at) => at % 2 === 0 && one === wanted) + 1] ?? "";
  return { host: field("ip"), port: Number(field("port")), epoch: Number(field("config-epoch")) };
}

type Slots = readonly {
  readonly from: number;
  readonly to: number;
  readonly owner: RedisAddress;
  readonly replicas: readonly RedisAddress[];
}[];

function ownerIn(slots: Slots, slot: number): RedisAddress {
  const range = slots.find(({ from, to }) => from <= slot && slot <= to);
  if (range === undefined) throw new Error("CLUSTERDOWN Hash slot not served");
  return range.owner;
}

/** The slots as a node has them that was connected to at `asked`. */
async function readSlots(node: Redis, asked: RedisAddress): Promise<Slots> {
  const reply: unknown = await node.cluster("SLOTS");
  // A node that does not know under which name it is reached says nothing.
  const addressOf = ([host, port]: readonly unknown[]) => ({ host: String(host || asked.host), port: Number(port) });
  return (reply as [number, number, ...unknown[][]][]).map(([from, to, owner = [], ...replicas]) => ({
    from,
    to,
    owner: addressOf(owner),
    replicas: replicas.map(addressOf),
  }));
}

type ClusterAnswer = { readonly slots: Slots; readonly epoch: number };

/** Rejects for a node that says that the cluster is down: it refuses every command. */
async function slotsBy(node: Redis, asked: RedisAddress): Promise<ClusterAnswer> {
  const [info, slots] = await Promise.all([node.cluster("INFO"), readSlots(node, asked)]);
  const fields = new Map(
    String(info)
      .split("\r\n")
      .map((line) => line.split(":", 2) as [string, string]),
  );
  if (fields.get("cluster_state") !== "ok") throw new Error("CLUSTERDOWN The cluster is down");
  return { slots, epoch: Number(fields.get("cluster_current_epoch")) };
}

/** Learns the nodes from the nodes: those of `REDIS_URL` are only where it begins. */
function lookUpSlots(
  seeds: readonly RedisAddress[],
  ask: (addresses: readonly RedisAddress[]) => Promise<ClusterAnswer>,
): SharedLookups<Slots> {
  let known: readonly RedisAddress[] = [];
  return shareLookups(async () => {
    const { slots } = await ask(distinct([...known, ...seeds]));
    known = distinct(slots.flatMap(({ owner, replicas }) => [owner, ...replicas]));
    return slots;
  }, CLUSTER_ANSWERED_WITHIN_MS);
}

const distinct = (addresses: readonly RedisAddress[]): RedisAddress[] => [
  ...new Map(addresses.map((address) => [`${address.host} ${address.port}`, address])).values(),
];
