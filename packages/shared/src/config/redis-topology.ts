/**
 * Which Redis the platform uses, parsed once from `REDIS_URL`. The rest of the code only sees connections.
 *
 * - `redis://[user:password@]host:port[/db]`: one server.
 * - `redis+sentinel://[user:password@]host:port,host:port/NAME[/db]`: the master NAME of these Sentinels.
 * - `redis+cluster://[user:password@]host:port,host:port`: a cluster; any of its nodes name the others.
 *
 * `rediss` instead of `redis` stands for TLS. Its files follow as parameters, named as those of `redis-cli`.
 */
import { accessSync, constants } from "node:fs";
import { z } from "zod";

export type RedisAddress = { readonly host: string; readonly port: number };

/** Files in PEM, and the name that the servers' certificates have if it is not their address. */
export type RedisTls = {
  readonly cacert?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly sni?: string;
};

export type RedisLogin = { readonly username?: string; readonly password?: string };

type Common = RedisLogin & {
  /** As it was set; it contains passwords. */
  readonly url: string;
  readonly db: number;
  /** Null: without TLS. */
  readonly tls: RedisTls | null;
};

export type RedisTopology = Common &
  (
    | { readonly kind: "single"; readonly address: RedisAddress }
    | {
        readonly kind: "sentinel";
        readonly sentinels: readonly RedisAddress[];
        readonly master: string;
        /** The Sentinels' own; they have none unless the parameters name it. */
        readonly sentinelLogin: RedisLogin;
      }
    | { readonly kind: "cluster"; readonly nodes: readonly RedisAddress[] }
  );

const DEFAULT_PORT = 6_379;
const DEFAULT_SENTINEL_PORT = 26_379;

const KINDS = { redis: "single", "redis+sentinel": "sentinel", "redis+cluster": "cluster" } as const;
const TLS_FILES = ["cacert", "cert", "key"] as const;
const TLS_PARAMETERS: readonly string[] = [...TLS_FILES, "sni"];
const SENTINEL_PARAMETERS: readonly string[] = ["sentinel_user", "sentinel_password"];

/** Why a URL is of no use; shown to operators, so it repeats nothing that may be a password. */
class UrlProblem extends Error {}

export const RedisTopologySchema = z.string().transform((url, context): RedisTopology => {
  try {
    return parseTopology(url);
  } catch (error) {
    if (!(error instanceof UrlProblem)) throw error;
    context.addIssue(error.message);
    return z.NEVER;
  }
});

/** The passwords of the topology, both as the URL encodes them and decoded. No log may contain either. */
export function secretsOfTopology({ url }: RedisTopology): string[] {
  const { login, parameters } = partsOf(url);
  const encoded = [splitAt(login ?? "", ":")[1], parameters.get("sentinel_password") ?? null].filter(
    (one) => one !== null,
  );
  return encoded.flatMap((one) => [one, decode(one)]);
}

export function parseTopology(url: string): RedisTopology {
  const { scheme, login, hosts, path, parameters } = partsOf(url);
  const isTls = scheme.startsWith("rediss");
  const kind = kindOf(isTls ? scheme.replace("rediss", "redis") : scheme);
  checkParameters(parameters, isTls, kind);
  const common = { url, ...loginOf(login), tls: isTls ? tlsOf(parameters) : null };
  const steps = path.split("/").filter((step) => step !== "");
  if (kind === "sentinel") {
    const [name, db, ...rest] = steps;
    if (name === undefined || rest.length > 0) {
      throw new UrlProblem("expected the master's name behind the Sentinels, as in redis+sentinel://host:26379/NAME");
    }
    const sentinels = addressesOf(hosts, DEFAULT_SENTINEL_PORT);
    return {
      kind,
      ...common,
      db: dbOf(db),
      sentinels,
      master: decode(name),
      sentinelLogin: sentinelLoginOf(parameters),
    };
  }
  const [db, ...rest] = steps;
  if (rest.length > 0) throw new UrlProblem("expected nothing but the number of a database behind the address");
  const addresses = addressesOf(hosts, DEFAULT_PORT);
  if (kind === "cluster") {
    if (dbOf(db) !== 0) throw new UrlProblem("a cluster has no database but 0");
    return { kind, ...common, db: 0, nodes: addresses };
  }
  const [address, ...others] = addresses;
  if (address === undefined || others.length > 0) {
    throw new UrlProblem("several addresses need redis+sentinel:// or redis+cluster://");
  }
  return { kind, ...common, db: dbOf(db), address };
}

function kindOf(scheme: string): RedisTopology["kind"] {
  const found = Object.entries(KINDS).find(([name]) => name === scheme);
  if (found === undefined) {
    throw new UrlProblem("expected a redis://, redis+sentinel:// or redis+cluster:// URL, or rediss… for TLS");
  }
  return found[1];
}

/** The values of the parameters are as the URL encodes them. */
function partsOf(url: string) {
  const [scheme, behindScheme] = splitAt(url, "://");
  if (behindScheme === null) throw new UrlProblem("expected a redis:// or rediss:// URL");
  if (behindScheme.includes("#")) throw new UrlProblem("a '#' has no meaning here; in a password it is %23");
  const [location, query] = splitAt(behindScheme, "?");
  const [authority, path] = splitAt(location, "/");
  const at = authority.lastIndexOf("@");
  const parameters = new Map((query ?? "").split("&").map((one) => [splitAt(one, "=")[0], splitAt(one, "=")[1] ?? ""]));
  parameters.delete("");
  return {
    scheme: scheme.toLowerCase(),
    login: at === -1 ? null : authority.slice(0, at),
    hosts: authority.slice(at + 1),
    path: path ?? "",
    parameters,
  };
}

function checkParameters(parameters: ReadonlyMap<string, string>, isTls: boolean, kind: RedisTopology["kind"]): void {
  for (const name of parameters.keys()) {
    if (TLS_PARAMETERS.includes(name)) {
      if (!isTls) throw new UrlProblem(`the parameter "${name}" is for TLS, so the URL must begin with rediss`);
    } else if (!SENTINEL_PARAMETERS.includes(name) || kind !== "sentinel") {
      const known = [...TLS_PARAMETERS, ...SENTINEL_PARAMETERS].join(", ");
      throw new UrlProblem(`a parameter of the URL is not supported; those that are: ${known}`);
    }
  }
}

function tlsOf(parameters: ReadonlyMap<string, string>): RedisTls {
  const given = Object.fromEntries(
    [...parameters].filter(([name]) => TLS_PARAMETERS.includes(name)).map(([name, value]) => [name, decode(value)]),
  );
  for (const name of TLS_FILES) if (given[name] !== undefined) assertReadable(name, given[name]);
  if ((given.cert === undefined) !== (given.key === undefined)) throw new UrlProblem("cert and key go together");
  return given;
}

function assertReadable(name: string, file: string): void {
  try {
    accessSync(file, constants.R_OK);
  } catch {
    throw new UrlProblem(`the file of the parameter "${name}" cannot be read: ${file}`);
  }
}

function loginOf(login: string | null): RedisLogin {
  if (login === null) return {};
  const [username, password] = splitAt(login, ":");
  // Redis has no login by name alone.
  if (password === null) throw new UrlProblem("expected user:password@ or :password@");
  return {
    ...(username !== "" && { username: decode(username) }),
    ...(password !== "" && { password: decode(password) }),
  };
}

const sentinelLoginOf = (parameters: ReadonlyMap<string, string>): RedisLogin => {
  const [username, password] = SENTINEL_PARAMETERS.map((name) => parameters.get(name));
  return {
    ...(username !== undefined && { username: decode(username) }),
    ...(password !== undefined && { password: decode(password) }),
  };
};

const addressesOf = (hosts: string, defaultPort: number): RedisAddress[] =>
  hosts.split(",").map((host) => addressOf(host.trim(), defaultPort));

function addressOf(text: string, defaultPort: number): RedisAddress {
  // Of a scheme that `URL` knows nothing about, so that no port is dropped for being the default.
  const url = URL.parse(`redis://${text === "" ? "localhost" : text}`);
  if (url === null || url.hostname === "" || url.pathname !== "") throw new UrlProblem("an address is not host:port");
  const host = url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname;
  return { host: decode(host), port: url.port === "" ? defaultPort : Number(url.port) };
}

function dbOf(text: string | undefined): number {
  const db = Number(text ?? "0");
  if (!Number.isInteger(db) || db < 0) throw new UrlProblem("the database is not a number");
  return db;
}

function splitAt(text: string, mark: string): [before: string, after: string | null] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + mark.length)];
}

/** A text with a `%` that begins no code is one as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
