/**
 * `DATABASE_URL`: the path of an SQLite file as it stands, a `file:` URL, in which `%20` is a space, or the `postgres:`
 * URL of a PostgreSQL database. What a URL asks for beyond the database is honoured or refused: an operator who wrote
 * `mode=ro` must not get a database that is written to.
 */
import { existsSync } from "node:fs";
import { isPostgresUrl, postgresPlace, postgresUrlProblem, secretsOfPostgresUrl } from "./postgres-url.ts";

const FILE = "file:";
const LOCAL_HOSTS: readonly string[] = ["", "localhost"];
/** What the platform does anyway; everything else that SQLite knows is refused by name. */
const ACCEPTED: readonly string[] = ["mode=rwc", "cache=private"];
/** Like `rwc`, for a file that exists. */
const EXISTING = "mode=rw";

/** Why the URL is of no use, as the rest of a sentence; null for none. */
export function databaseUrlProblem(url: string): string | null {
  if (isPostgresUrl(url)) return postgresUrlProblem(url);
  if (/^(?!file:)[a-z]+:\/\//i.test(url)) {
    return "expected the path or file: URL of an SQLite database, or the postgres: URL of a PostgreSQL database";
  }
  if (!isFileUrl(url)) return pathProblem(url);
  const { host, path, parameters, fragment } = parts(url);
  if (!LOCAL_HOSTS.includes(host.toLowerCase()))
    return "a file: URL with a host is not supported; the disk must be local";
  if (fragment !== null) return "a '#' begins a fragment, which has no meaning here; in a file name it is %23";
  for (const [name, value] of new URLSearchParams(parameters)) {
    const parameter = `${name}=${value}`;
    if (parameter === EXISTING) {
      if (!existsSync(path)) return "mode=rw names a file that does not exist; mode=rwc creates it";
    } else if (!ACCEPTED.includes(parameter)) {
      return `the parameter ${JSON.stringify(name)} of a file: URL is not supported with this value`;
    }
  }
  return pathProblem(path);
}

/** Where the database is, as logs may show it. The URL must have no problem. */
export const databasePlace = (url: string): string => (isPostgresUrl(url) ? postgresPlace(url) : databaseFile(url));

/** What no log may contain of the URL. */
export const secretsOfDatabaseUrl = (url: string): string[] => (isPostgresUrl(url) ? secretsOfPostgresUrl(url) : []);

/** The path of the SQLite file. The URL must have no problem. */
export const databaseFile = (url: string): string => (isFileUrl(url) ? parts(url).path : url);

const isFileUrl = (url: string): boolean => url.slice(0, FILE.length).toLowerCase() === FILE;

function parts(url: string) {
  const [whole, fragment] = splitAt(url.slice(FILE.length), "#");
  const [location, parameters] = splitAt(whole, "?");
  const slash = location.startsWith("//") ? location.indexOf("/", 2) : 0;
  const end = slash === -1 ? location.length : slash;
  return { host: location.slice(2, end), path: decode(location.slice(end)), parameters: parameters ?? "", fragment };
}

function splitAt(text: string, mark: string): [before: string, after: string | null] {
  const at = text.indexOf(mark);
  return at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)];
}

/** A path with a `%` that begins no code is one as it stands. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function pathProblem(path: string): string | null {
  if (path.includes("\0")) return "a path has no NUL";
  if (path === ":memory:") return "a database in memory is not supported; API and workers share one file";
  if (path === "" || path.endsWith("/")) return "expected the path of a file";
  if (/^\/?[a-z]:[\\/]/i.test(path)) return "a path with a drive letter is not supported";
  return null;
}
