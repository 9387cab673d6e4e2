/**
 * `DATABASE_URL` of a PostgreSQL database, as libpq reads it: `postgres://[user[:password]@]host[:port]/database`, with
 * parameters behind `?`. What such a URL asks for is honoured or refused by name: an operator who wrote
 * `sslmode=verify-full` must not get a connection whose certificate nobody looked at.
 */
import { accessSync, constants } from "node:fs";

const SCHEMES: readonly string[] = ["postgres:", "postgresql:"];
const DEFAULT_PORT = 5432;

/** Whether a certificate is asked for, checked against an authority, and compared with the name of the host. */
const SSL_MODES = ["disable", "require", "verify-ca", "verify-full"] as const;
type SslMode = (typeof SSL_MODES)[number];

/** `host` is the folder of a Unix socket; the URL's own host is then `localhost`. */
const PARAMETERS: readonly string[] = ["sslmode", "sslrootcert", "sslcert", "sslkey", "host", "application_name"];
/** As `sslrootcert`: the authorities that Node trusts. */
export const SYSTEM = "system";
const SSL_FILES: readonly string[] = ["sslrootcert", "sslcert", "sslkey"];

export type PostgresAddress = {
  /** A name, an address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string | undefined;
  readonly database: string;
  readonly applicationName: string | undefined;
  readonly sslMode: SslMode;
  /** Paths of PEM files, or `SYSTEM`. */
  readonly sslFiles: { readonly ca?: string; readonly cert?: string; readonly key?: string };
};

export const isPostgresUrl = (url: string): boolean => SCHEMES.some((scheme) => url.toLowerCase().startsWith(scheme));

/** Why the URL is of no use, as the rest of a sentence; null for none. Does not repeat the password. */
export function postgresUrlProblem(url: string): string | null {
  const parsed = parse(url);
  if (parsed === null) {
    return "expected postgres://user:password@host:port/database; in the user and the password, characters such as '@', '/' and '#' are written as %40, %2F and %23, and there is one host";
  }
  const { username, hash, pathname, searchParams } = parsed;
  if (!url.includes("://")) return "expected postgres:// and not postgres: alone";
  if (hash !== "") return "a '#' begins a fragment, which has no meaning here; in a password it is %23";
  if (username === "") return "the URL names no user";
  if (pathname.length < 2) return "the URL names no database, as in postgres://user@host/database";
  for (const [name, value] of searchParams) {
    if (!PARAMETERS.includes(name)) {
      return `the parameter ${JSON.stringify(name)} of a postgres: URL is not supported; known are ${PARAMETERS.join(", ")}`;
    }
    if (searchParams.getAll(name).length > 1) return `the parameter ${JSON.stringify(name)} occurs twice`;
    if (value === "") return `the parameter ${JSON.stringify(name)} is empty`;
  }
  return hostProblem(parsed) ?? sslProblem(searchParams);
}

function hostProblem({ hostname, searchParams }: URL): string | null {
  const socket = searchParams.get("host");
  if (socket === null) return hostname === "" ? "the URL names no host" : null;
  if (hostname !== "" && hostname !== "localhost") return "the URL names a host and the parameter host as well";
  return socket.startsWith("/")
    ? null
    : "the parameter host names the folder of a Unix socket, which begins with '/'; another host stands behind the '@'";
}

function sslProblem(parameters: URLSearchParams): string | null {
  const mode = parameters.get("sslmode") ?? "disable";
  if (!isSslMode(mode)) return `sslmode is one of ${SSL_MODES.join(", ")}`;
  const file = SSL_FILES.find((name) => parameters.has(name));
  if (mode === "disable" && file !== undefined) return `${file} has no effect without an sslmode`;
  const missing = SSL_FILES.find((name) => !isReadable(parameters.get(name) ?? SYSTEM));
  if (missing !== undefined) return `${missing} names a file that cannot be read`;
  if (parameters.has("sslcert") !== parameters.has("sslkey")) return "sslcert and sslkey belong together";
  if (mode === "verify-ca" && !parameters.has("sslrootcert")) {
    return "sslmode=verify-ca needs sslrootcert: a public authority would vouch for any host";
  }
  return null;
}

function isReadable(file: string): boolean {
  if (file === SYSTEM) return true;
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

const isSslMode = (mode: string): mode is SslMode => SSL_MODES.some((known) => known === mode);

/** The URL must have no problem. */
export function postgresAddress(url: string): PostgresAddress {
  const parsed = parse(url);
  if (parsed === null) throw new Error("The URL of the database is damaged");
  const { hostname, port, username, password, pathname, searchParams } = parsed;
  const file = (name: string) => searchParams.get(name) ?? undefined;
  const [ca, cert, key] = SSL_FILES.map(file);
  const mode = searchParams.get("sslmode") ?? "disable";
  return {
    // URLs write IPv6 addresses in brackets.
    host: searchParams.get("host") ?? decodeURIComponent(hostname.replace("[", "").replace("]", "")),
    port: port === "" ? DEFAULT_PORT : Number(port),
    user: decodeURIComponent(username),
    password: password === "" ? undefined : decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)),
    applicationName: file("application_name"),
    sslMode: isSslMode(mode) ? mode : "verify-full",
    sslFiles: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  };
}

/** Where the database is, as logs and errors may show it: without user, password and parameters. */
export function postgresPlace(url: string): string {
  const { host, port, database } = postgresAddress(url);
  return `postgres://${host.includes(":") ? `[${host}]` : host}:${port}/${database}`;
}

/** The password of the URL, both as the URL encodes it and decoded. No log may contain either. */
export function secretsOfPostgresUrl(url: string): string[] {
  const { password } = new URL(url);
  return password === "" ? [] : [password, decodeURIComponent(password)];
}

/** Null for what is no such URL, also where a part is encoded wrongly. */
function parse(url: string): URL | null {
  const parsed = URL.parse(url);
  if (parsed === null || !SCHEMES.includes(parsed.protocol)) return null;
  try {
    for (const part of [parsed.username, parsed.password, parsed.pathname, parsed.hostname]) decodeURIComponent(part);
  } catch {
    return null;
  }
  return parsed;
}
