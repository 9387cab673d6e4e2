/** Several Redis processes that belong together: a master with replicas and Sentinels, or a cluster. */
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis, type RedisOptions } from "ioredis";
import type { ChildSpec } from "../../scripts/services/child.ts";
import { freePort, LOOPBACK } from "../../scripts/services/ports.ts";
import { cacheDirOf, locateRedis, type RedisBinary, redisEnv } from "../../scripts/services/redis-binary.ts";
import { type Server, startServer } from "../../scripts/services/server.ts";
import { waitFor } from "./wait-for.ts";

/** A master that is silent for so long is replaced; short, because tests wait for it. */
export const FAILS_OVER_AFTER_MS = 1_500;
const MASTER_NAME = "platform";
const SENTINELS = 3;
const READY_WITHIN_MS = 30_000;

export type RedisNode = Server & {
  /** A connection of the test to this very node. */
  readonly control: Redis;
};

export type RedisSet = {
  /** For `REDIS_URL`. */
  readonly url: string;
  /** Servers that hold data, not Sentinels. */
  readonly nodes: readonly RedisNode[];
  /** The nodes that are masters now and answer. */
  masters(): Promise<RedisNode[]>;
  /** Every master has a replica that follows it, and everybody agrees who is master. */
  settled(): Promise<unknown>;
  /** None on a cluster. */
  readonly sentinels: readonly Server[];
  stop(): Promise<void>;
};

type Start = { readonly name: string; readonly config: string; readonly port: number; readonly isSentinel?: boolean };

/** Everything over TLS, and clients must have a certificate too; the files are in PEM. */
export type SetTls = { readonly cert: string; readonly key: string };

async function openFolder(tls?: SetTls) {
  const cacheDir = await cacheDirOf(process.env, join(import.meta.dirname, "../../data/cache"));
  const binary: RedisBinary = await locateRedis({ env: process.env, cacheDir });
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-redis-set-"));
  const password = randomBytes(12).toString("base64url");
  const pem = tls && { cert: readFileSync(tls.cert), key: readFileSync(tls.key), ca: readFileSync(tls.cert) };
  /** What the test's own connections need. */
  const client: RedisOptions = pem === undefined ? {} : { tls: pem };

  async function start({ name, config, port, isSentinel = false }: Start): Promise<Server> {
    await mkdir(join(dir, name));
    const file = join(dir, name, "redis.conf");
    // Sentinels and replicas write what they learn into their file.
    const ports = tls === undefined ? `port ${port}\n` : `port 0\ntls-port ${port}\n${tlsConfig(tls)}`;
    await writeFile(file, `bind ${LOOPBACK}\n${ports}dir ${join(dir, name)}\n${config}`);
    const spec: ChildSpec = {
      name,
      command: binary.command,
      args: [file, ...(isSentinel ? ["--sentinel"] : [])],
      env: redisEnv(binary.libraryPath),
      ready: () => answers(port, isSentinel ? undefined : password, client),
    };
    return startServer({ url: `redis://:${password}@${LOOPBACK}:${port}`, port }, spec);
  }

  function control(server: Server): RedisNode {
    const limits = { maxRetriesPerRequest: 0, retryStrategy: () => 100, commandTimeout: 2_000 };
    const redis = new Redis(server.url, { ...limits, ...client });
    redis.on("error", () => {
      // Tests kill servers.
    });
    const { start: startAgain, ...rest } = server;
    return Object.defineProperties(
      { ...rest, start: startAgain, control: redis },
      {
        pid: { get: () => server.pid },
      },
    ) as RedisNode;
  }

  const data = `
requirepass ${password}
masterauth ${password}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
repl-diskless-sync-delay 0
repl-ping-replica-period 1
shutdown-timeout 0
`;
  /** How the URL of a set begins, and ends. */
  const scheme = tls === undefined ? "redis" : "rediss";
  const parameters = tls === undefined ? "" : `?cacert=${tls.cert}&cert=${tls.cert}&key=${tls.key}`;
  return {
    password,
    data,
    client,
    scheme,
    parameters,
    start,
    control,
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

const tlsConfig = ({ cert, key }: SetTls) => `
tls-cert-file ${cert}
tls-key-file ${key}
tls-ca-cert-file ${cert}
tls-replication yes
tls-cluster yes
`;

async function answers(port: number, password: string | undefined, client: RedisOptions): Promise<boolean> {
  const redis = new Redis({
    ...client,
    ...{ host: LOOPBACK, port, retryStrategy: () => null, commandTimeout: 1_000, enableReadyCheck: false },
    ...(password !== undefined && { password }),
  });
  redis.on("error", () => {});
  try {
    return (await redis.ping()) === "PONG";
  } catch {
    return false;
  } finally {
    redis.disconnect();
  }
}

const portsOf = (count: number): Promise<number[]> => Promise.all(Array.from({ length: count }, freePort));

/** What a node says of its own part in the replication. */
async function replicationOf({ control }: RedisNode): Promise<Map<string, string>> {
  const info = await control.info("replication");
  return new Map(info.split("\r\n").map((line) => line.split(":", 2) as [string, string]));
}

async function mastersOf(nodes: readonly RedisNode[]): Promise<RedisNode[]> {
  const roles = await Promise.allSettled(nodes.map(replicationOf));
  return nodes.filter((_, at) => {
    const role = roles[at];
    return role?.status === "fulfilled" && role.value.get("role") === "master";
  });
}

const followers = async (master: RedisNode): Promise<number> =>
  [...(await replicationOf(master))].filter(([name, value]) => name.startsWith("slave") && /state=online/.test(value))
    .length;

/** One master, two replicas, three Sentinels. */
export async function startSentinelSet({ tls }: Pick<ClusterOptions, "tls"> = {}): Promise<RedisSet> {
  const folder = await openFolder(tls);
  const [masterPort = 0, ...ports] = await portsOf(3 + SENTINELS);
  const sentinelPorts = ports.splice(2);
  const servers = [
    await folder.start({ name: "node-1", port: masterPort, config: folder.data }),
    ...(await Promise.all(
      ports.map((port, at) =>
        folder.start({ name: `node-${at + 2}`, port, config: `${folder.data}replicaof ${LOOPBACK} ${masterPort}\n` }),
      ),
    )),
  ];
  const nodes = servers.map(folder.control);
  const sentinels = await Promise.all(
    sentinelPorts.map((port, at) =>
      folder.start({
        ...{ name: `sentinel-${at + 1}`, port, isSentinel: true },
        config: `
sentinel monitor ${MASTER_NAME} ${LOOPBACK} ${masterPort} 2
sentinel auth-pass ${MASTER_NAME} ${folder.password}
sentinel down-after-milliseconds ${MASTER_NAME} ${FAILS_OVER_AFTER_MS}
sentinel failover-timeout ${MASTER_NAME} 2000
sentinel parallel-syncs ${MASTER_NAME} 2
`,
      }),
    ),
  );
  const asking = sentinels.map(
    ({ port }) => new Redis({ host: LOOPBACK, port, maxRetriesPerRequest: 0, ...folder.client }),
  );
  for (const sentinel of asking) sentinel.on("error", () => {});

  async function isSettled(): Promise<boolean> {
    const [master, ...others] = await mastersOf(nodes);
    if (master === undefined || others.length > 0 || (await followers(master)) < 2) return false;
    const known = await Promise.all(asking.map((one) => one.call("SENTINEL", "MASTER", MASTER_NAME)));
    return known.every((reply) => {
      const fields = (reply as string[]).map(String);
      const field = (name: string) => fields[fields.indexOf(name) + 1];
      const sees = field("flags") === "master" && field("port") === String(master.port);
      return sees && field("num-other-sentinels") === "2" && field("num-slaves") === "2";
    });
  }
  const settled = () => waitFor("the Sentinels to agree", () => isSettled().catch(() => false), READY_WITHIN_MS);
  await settled();

  return {
    url: `${folder.scheme}+sentinel://:${folder.password}@${sentinels.map(({ port }) => `${LOOPBACK}:${port}`).join(",")}/${MASTER_NAME}${folder.parameters}`,
    nodes,
    sentinels,
    masters: () => mastersOf(nodes),
    settled,
    async stop() {
      for (const redis of [...asking, ...nodes.map(({ control }) => control)]) redis.disconnect();
      await Promise.all([...sentinels, ...nodes].map((server) => server.stop()));
      await folder.remove();
    },
  };
}

export type ClusterOptions = {
  readonly tls?: SetTls | undefined;
  /** The port under which others reach the node with this one. */
  readonly announce?: (port: number) => Promise<number>;
};

/** Three masters, each with a replica. */
export async function startCluster({ tls, announce }: ClusterOptions = {}): Promise<RedisSet> {
  const folder = await openFolder(tls);
  const ports = await portsOf(12);
  const busPorts = ports.splice(6);
  const announced = await Promise.all(ports.map((port) => announce?.(port) ?? port));
  const servers = await Promise.all(
    ports.map((port, at) =>
      folder.start({
        ...{ name: `node-${at + 1}`, port },
        config: `${folder.data}
cluster-enabled yes
cluster-config-file nodes.conf
cluster-node-timeout ${FAILS_OVER_AFTER_MS}
cluster-port ${busPorts[at]}
cluster-announce-ip ${LOOPBACK}
${announce ? `cluster-announce-port ${announced[at]}` : ""}
cluster-replica-validity-factor 0
`,
      }),
    ),
  );
  const nodes = servers.map(folder.control);
  const masters = nodes.slice(0, 3);
  const slots = 16_384;
  await Promise.all(
    masters.map(({ control }, at) => {
      const [from, to] = [Math.floor((at * slots) / 3), Math.floor(((at + 1) * slots) / 3) - 1];
      return control.cluster("ADDSLOTSRANGE", from, to);
    }),
  );
  const [first, ...others] = nodes;
  if (first === undefined) throw new Error("a cluster needs nodes");
  for (const [at, { port }] of others.entries()) {
    await first.control.call("CLUSTER", "MEET", LOOPBACK, port, busPorts[at + 1] ?? 0);
  }
  for (const [at, replica] of nodes.slice(3).entries()) {
    const id = String(await masters[at]?.control.cluster("MYID"));
    await waitFor(
      "the nodes to meet",
      () =>
        replica.control.cluster("REPLICATE", id).then(
          () => true,
          () => false,
        ),
      READY_WITHIN_MS,
    );
  }

  async function isSettled(): Promise<boolean> {
    const states = await Promise.all(nodes.map(({ control }) => control.cluster("INFO")));
    if (!states.every((state) => /cluster_state:ok/.test(String(state)))) return false;
    const owners = await Promise.all(nodes.map(async ({ control }) => JSON.stringify(await ownersBy(control))));
    if (new Set(owners).size > 1) return false;
    const now = await mastersOf(nodes);
    return now.length === 3 && (await Promise.all(now.map(followers))).every((count) => count === 1);
  }
  const settled = () => waitFor("the nodes to agree", () => isSettled().catch(() => false), READY_WITHIN_MS);
  await settled();

  return {
    url: `${folder.scheme}+cluster://:${folder.password}@${announced.map((port) => `${LOOPBACK}:${port}`).join(",")}${folder.parameters}`,
    nodes,
    sentinels: [],
    masters: () => mastersOf(nodes),
    settled,
    async stop() {
      for (const { control } of nodes) control.disconnect();
      await Promise.all(nodes.map((server) => server.stop()));
      await folder.remove();
    },
  };
}

/** Which port has which slots, in the same order whoever is asked. */
async function ownersBy(node: Redis): Promise<unknown[]> {
  const slots = await node.cluster("SLOTS");
  return slots.map(([from, to, owner]) => [from, to, owner?.[1]]).sort((a, b) => Number(a[0]) - Number(b[0]));
}
