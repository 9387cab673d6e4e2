/** `docker compose --profile scale up`: what it starts holds together, and leaves the plain `up` alone. */
import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { ApiConfigSchema } from "../../apps/api/src/config.ts";
import { type ComposeService, readCompose } from "../support/compose.ts";
import { readText } from "../support/sources.ts";

const PASSWORDS = { REDIS_PASSWORD: "redis-secret", POSTGRES_PASSWORD: "postgres-secret" };
const { services, networks, volumes } = readCompose({ ...PASSWORDS, API_KEYS: "api-keys", OPENAI_API_KEY: "key" });
const all = Object.entries(services).map(([name, service]) => ({ name, service }));
const scaled = all.filter(({ service }) => service.profiles.length > 0);
const plain = all.filter(({ service }) => service.profiles.length === 0);
const get = (name: string): ComposeService => {
  const service = services[name];
  if (service === undefined) throw new Error(`there is no service ${name}`);
  return service;
};
const addressOf = (name: string) => Object.values(get(name).networks ?? {})[0]?.ipv4_address;
const SENTINELS = ["sentinel-1", "sentinel-2", "sentinel-3"];
const NODES = ["redis-1", "redis-2"];
const namesOf = (list: typeof all) => list.map(({ name }) => name).sort();
const Range = z.strictObject({ subnet: z.string(), ip_range: z.string() });
const NetworkWithRange = z.looseObject({ ipam: z.strictObject({ config: z.tuple([Range]) }) });
/** Seconds of `30s`. */
const seconds = (text = "") => Number.parseInt(text, 10);

test("the profile has PostgreSQL, a Redis with a replica and three Sentinels, two APIs behind nginx, four workers", () => {
  expect(namesOf(scaled)).toEqual(["nginx", "postgres", ...NODES, "scaled-api", "scaled-worker", ...SENTINELS].sort());
  for (const { service } of scaled) expect(service.profiles).toEqual(["scale"]);
  expect(get("scaled-api").scale).toBe(2);
  expect(get("scaled-worker").scale).toBe(4);
});

test("without the profile, Compose starts what it started before, which needs nothing of it", () => {
  expect(namesOf(plain)).toEqual(["api", "chroma", "redis", "worker"]);
  for (const { service } of plain) {
    expect(Object.keys(service.depends_on).filter((name) => !namesOf(plain).includes(name))).toEqual([]);
    expect(Object.keys(service.networks ?? {})).not.toContain("sentinels");
  }
  // A variable that must be set would stop the plain `up` as well.
  const required = [...readText("docker-compose.yml").matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name);
  expect(required.sort()).toEqual(["API_KEYS", "OPENAI_API_KEY", "REDIS_PASSWORD"]);
});

test("naming nginx starts the profile and nothing of the plain `up` but Chroma", () => {
  const reached = new Set<string>();
  const follow = (name: string): void => {
    if (reached.has(name)) return;
    reached.add(name);
    for (const next of Object.keys(get(name).depends_on)) follow(next);
  };
  follow("nginx");
  expect([...reached].sort()).toEqual([...namesOf(scaled), "chroma"].sort());
});

describe.each(all)("$name", ({ name, service }) => {
  test("a container is hardened, limited and checked", () => {
    expect(service).toMatchObject({
      restart: "unless-stopped",
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
      pids_limit: expect.any(Number),
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
      logging: { options: { "max-size": "10m" } },
    });
    // The platform's image has its own check.
    expect(service.image === "agent-paas" || service.healthcheck !== undefined).toBe(true);
  });

  test("what a service names exists", () => {
    const named = service.volumes.map((volume) => volume.split(":")[0] ?? "").filter((one) => !/^[./]/.test(one));
    expect(named.filter((one) => !(one in volumes))).toEqual([]);
    expect(Object.keys(service.networks ?? {}).filter((one) => !(one in networks))).toEqual([]);
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      const isChecked = get(other).image === "agent-paas" || get(other).healthcheck !== undefined;
      expect(condition === "service_started" || isChecked, other).toBe(true);
    }
  });

  test("no command line has a password, and a shell can read its script", () => {
    const command = [service.command ?? []].flat();
    for (const password of Object.values(PASSWORDS)) expect(command.join(" ")).not.toContain(password);
    const script = command[0] === "sh" ? (command[2] ?? "") : "";
    execFileSync("sh", ["-n"], { input: script.replaceAll("$$", "$") });
    // The shell hands passwords on by standard input and files alone.
    const words = script.replace(/<<END\n[\s\S]*?\nEND$/gm, "");
    expect(words).not.toMatch(/REDISCLI_AUTH|PASSWORD/);
  });

  test("only the plain API and nginx are published, and to this machine alone", () => {
    const expected = { api: ["127.0.0.1:8000:8000"], nginx: ["127.0.0.1:8080:8080"] };
    expect(service.ports).toEqual(Object.entries(expected).find(([one]) => one === name)?.[1] ?? []);
  });
});

describe.each([
  ["scaled-api", "api"],
  ["scaled-worker", "worker"],
])("%s", (name, former) => {
  const { environment, networks: own } = get(name);

  test("a scaled service has every setting of the plain one, and other storage", () => {
    const before = get(former).environment;
    expect(Object.keys(before).filter((setting) => !(setting in environment))).toEqual([]);
    const differing = Object.keys(environment).filter((setting) => environment[setting] !== before[setting]);
    const expected = [
      "DATABASE_URL",
      "REDIS_URL",
      ...(name === "scaled-api" ? ["ACCEPT_MIN_REPLICAS", "TRUSTED_PROXIES"] : []),
    ];
    expect(differing.sort()).toEqual(expected.sort());
  });

  test("a scaled service asks all Sentinels for the master, and reaches PostgreSQL", () => {
    const { REDIS_PASSWORD, POSTGRES_PASSWORD } = PASSWORDS;
    const sentinels = SENTINELS.map((one) => `${addressOf(one)}:26379`).join(",");
    expect(environment.REDIS_URL).toBe(
      `redis+sentinel://:${REDIS_PASSWORD}@${sentinels}/platform?sentinel_password=${REDIS_PASSWORD}`,
    );
    expect(environment.DATABASE_URL).toBe(`postgres://postgres:${POSTGRES_PASSWORD}@postgres:5432/platform`);
    expect(get("postgres").environment).toMatchObject({ POSTGRES_DB: "platform", POSTGRES_PASSWORD });
    expect(Object.keys(own ?? {})).toEqual(["default", "storage", "sentinels"]);
  });
});

test("PostgreSQL is healthy when it has the database, not as soon as its server answers", () => {
  const { environment, healthcheck, user } = get("postgres");
  const check = [healthcheck?.test].flat();
  expect(check.slice(0, 2)).toEqual(["CMD", "psql"]);
  // By TCP: while the image makes the database, its server is there for the socket alone.
  expect(check).toContain("--host=127.0.0.1");
  expect(check).toContain(`--dbname=${environment.POSTGRES_DB}`);
  expect(check).toContain(`--username=${user}`);
});

test("the checks of APIs and workers wait for a slow first start, and for a busy machine", () => {
  const [, options = ""] = /^HEALTHCHECK (.*?) CMD/m.exec(readText("Dockerfile")) ?? [];
  const { timeout, "start-period": start } = Object.fromEntries(
    options.split(" ").map((option) => option.slice(2).split("=")),
  );
  // Compose gives up everything that depends on a container once this is over. A success ends it at once.
  expect(seconds(start)).toBeGreaterThanOrEqual(seconds(get("postgres").healthcheck?.start_period));
  expect(seconds(timeout)).toBeGreaterThanOrEqual(10);
});

describe("Redis and its Sentinels", () => {
  test("each has an address of its own, outside of which nobody reaches it", () => {
    const addresses = [...NODES, ...SENTINELS].map(addressOf);
    expect(new Set(addresses).size).toBe(5);
    for (const name of [...NODES, ...SENTINELS]) expect(Object.keys(get(name).networks ?? {})).toEqual(["sentinels"]);
    expect(networks.sentinels).toMatchObject({ internal: true, ipam: { config: [{ subnet: "172.30.77.0/24" }] } });
    for (const address of addresses) expect(address).toMatch(/^172\.30\.77\.\d+$/);
  });

  test("no other container is ever given the address of one that has stopped", () => {
    const { ipam } = NetworkWithRange.parse(networks.sentinels);
    const [{ subnet, ip_range }] = ipam.config;
    const first = Number(/^172\.30\.77\.(\d+)\/25$/.exec(ip_range)?.[1]);
    expect([subnet, first]).toEqual(["172.30.77.0/24", 128]);
    for (const name of [...NODES, ...SENTINELS]) expect(Number(addressOf(name)?.split(".")[3])).toBeLessThan(first);
  });

  test("a node knows its own address and asks all Sentinels", () => {
    for (const name of NODES) {
      const { environment } = get(name);
      expect(environment.NODE).toBe(addressOf(name));
      expect(environment.SENTINELS).toBe(SENTINELS.map(addressOf).join(" "));
    }
  });

  test("two of three Sentinels decide, and begin with the first node", () => {
    for (const name of SENTINELS) {
      expect([get(name).command].flat()[2]).toContain(`sentinel monitor platform ${addressOf("redis-1")} 6379 2\n`);
    }
    // Each keeps what it learns: a Sentinel that began anew would count as a further one.
    const kept = [...NODES, ...SENTINELS].map((name) => get(name).volumes);
    expect(kept).toEqual([...NODES, ...SENTINELS].map((name) => [`${name}:/data`]));
  });
});

describe("deploy/nginx/nginx.conf", () => {
  const conf = readText("deploy/nginx/nginx.conf").replace(/^\s*#.*$/gm, "");
  /** The values of a directive, wherever it stands. */
  const valuesOf = (directive: string) =>
    [...conf.matchAll(new RegExp(`^\\s*${directive}\\s+([^;]+);`, "gm"))].map(([, value]) => value);

  test.each([
    ["proxy_buffering", "off"],
    ["proxy_request_buffering", "off"],
    ["proxy_cache", "off"],
    ["gzip", "off"],
    ["proxy_http_version", "1.1"],
    ["proxy_set_header Connection", '""'],
    ["client_max_body_size", "0"],
  ])("%s is %s, once", (directive, value) => {
    expect(valuesOf(directive)).toEqual([value]);
  });

  test("nginx does not take from the API what it says of its streams", () => {
    expect(conf).not.toMatch(/proxy_ignore_headers|proxy_hide_header/);
  });

  test("nginx waits for longer than a stream or a response is silent", () => {
    const silent = ["SSE_HEARTBEAT_MS", "JSON_WAIT_MS"] as const;
    const longest = Math.max(...silent.map((name) => ApiConfigSchema.shape[name].parse(undefined)));
    expect(seconds(valuesOf("proxy_read_timeout")[0]) * 1_000).toBeGreaterThan(longest + 10_000);
  });

  test("nginx finds the APIs, listens where it is published, and writes into memory alone", () => {
    const { healthcheck, ports, tmpfs, stop_grace_period } = get("nginx");
    expect(valuesOf("set \\$apis")).toEqual(["scaled-api:8000"]);
    expect(valuesOf("proxy_pass")).toEqual(["http://$apis"]);
    const [listen] = valuesOf("listen");
    expect(ports[0]).toMatch(new RegExp(`:${listen}$`));
    // The timeout is Docker's: the `wget` of some BusyBox builds crashes with one of its own.
    expect(healthcheck?.test).toEqual([
      "CMD",
      "wget",
      "-q",
      "-O",
      "/dev/null",
      `http://127.0.0.1:${listen}/api/v1/livez`,
    ]);
    const written = [...conf.matchAll(/^\s*(?:pid|\w+_temp_path|error_log|access_log)\s+(\S+?)[\s;]/gm)];
    expect(written).toHaveLength(8);
    expect(written.map(([, path]) => path).filter((path = "") => !/^(\/tmp\/|stderr|off)/.test(path))).toEqual([]);
    expect(tmpfs).toEqual([expect.stringMatching(/^\/tmp:/)]);
    expect(seconds(stop_grace_period)).toBeGreaterThan(seconds(valuesOf("worker_shutdown_timeout")[0]));
  });
});
