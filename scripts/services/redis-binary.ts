/**
 * Finds the embedded Redis: on the PATH, or else in the distribution's packages, unpacked into a cache folder.
 *
 * Invariant: the cache folder of a distribution appears complete or not at all. Processes that race for it unpack into
 * folders of their own and rename; the first rename wins.
 */
import { execFile } from "node:child_process";
import { constants, globSync } from "node:fs";
import { access, mkdtemp, rename, rm } from "node:fs/promises";
import { arch, homedir, platform } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { makeFolder } from "@agent-paas/shared/files/folders.ts";
import { unpackDebianPackages } from "./debian-packages.ts";

const run = promisify(execFile);
const SERVERS = ["redis-server", "valkey-server"] as const;

/** The program of redis-server is in redis-tools, which apt would leave out where it is installed. */
export const REDIS_PACKAGES = ["redis-server", "redis-tools"] as const;

export type RedisBinary = {
  readonly command: string;
  readonly libraryPath: string | undefined;
  /** Shown to people: name, version and origin. */
  readonly description: string;
};

export type LocateOptions = {
  /** PATH is searched; apt gets all variables (proxies, …). */
  readonly env: NodeJS.ProcessEnv;
  readonly cacheDir: string;
  /** Called before a download begins, the only slow step. */
  readonly onDownload?: () => void;
  readonly signal?: AbortSignal | undefined;
};

/**
 * The user's cache folder, so that a second or cleaned clone does not download again. The fallback is for users without
 * a writable home, such as service users.
 */
export async function cacheDirOf(env: NodeJS.ProcessEnv, fallback: string): Promise<string> {
  const dir = join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "agent-paas");
  try {
    makeFolder(dir);
    await access(dir, constants.W_OK);
    return dir;
  } catch {
    return fallback;
  }
}

export async function locateRedis(options: LocateOptions): Promise<RedisBinary> {
  for (const name of SERVERS) {
    for (const folder of (options.env.PATH ?? "").split(delimiter)) {
      const found = folder && (await usable(join(folder, name), undefined, "from the PATH"));
      if (found) return found;
    }
  }
  try {
    return await fromDistribution(options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw new Error(howToGetRedis(error), { cause: error });
  }
}

async function fromDistribution({ env, cacheDir, onDownload, signal }: LocateOptions): Promise<RedisBinary> {
  const home = join(cacheDir, `redis-${await distribution()}-${arch()}`);
  const cached = await fromFolder(home);
  if (cached) return cached;

  onDownload?.();
  makeFolder(cacheDir);
  const aside = await mkdtemp(join(cacheDir, ".redis-"));
  try {
    await unpackDebianPackages({ packages: REDIS_PACKAGES, into: aside, env, signal });
    if (!(await fromFolder(aside))) throw new Error("the unpacked redis-server does not run here");
    await replace(home, aside);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  const fresh = await fromFolder(home);
  if (!fresh) throw new Error(`${home} holds no redis-server that runs`);
  return fresh;
}

/**
 * Replaces a folder whose server does not run (the system's libraries changed); keeps one that a faster process made.
 */
async function replace(home: string, aside: string): Promise<void> {
  try {
    await rename(aside, home);
  } catch (error) {
    if (await fromFolder(home)) return;
    await rm(home, { recursive: true, force: true });
    await rename(aside, home).catch(() => Promise.reject(error));
  }
}

async function fromFolder(root: string): Promise<RedisBinary | undefined> {
  const libraries = new Set(globSync("{lib,usr/lib}/**/*.so*", { cwd: root }).map((file) => join(root, dirname(file))));
  return usable(join(root, "usr/bin/redis-server"), [...libraries].join(":"), "of the distribution's packages");
}

async function usable(command: string, libraryPath: string | undefined, origin: string) {
  try {
    await access(command, constants.X_OK);
    const { stdout } = await run(command, ["--version"], { env: redisEnv(libraryPath), timeout: 10_000 });
    const [, version = ""] = /v=(\S+)/.exec(stdout) ?? [];
    const name = /valkey/i.test(stdout) ? "Valkey" : "Redis";
    return { command, libraryPath, description: `${name} ${version} ${origin}` };
  } catch {
    return undefined;
  }
}

/** LC_ALL: Redis 7 refuses to start under a locale that is set but not installed. */
export function redisEnv(libraryPath: string | undefined): NodeJS.ProcessEnv {
  return { LC_ALL: "C", ...(libraryPath && { LD_LIBRARY_PATH: libraryPath }) };
}

/** Part of the folder's name: machines and containers of different distributions can share a home folder. */
async function distribution(): Promise<string> {
  if (platform() !== "linux") throw new Error(`${platform()} has no apt-get`);
  const { stdout } = await run("/bin/sh", ["-c", '. /etc/os-release && echo "$ID-$VERSION_ID"']);
  return stdout.trim();
}

function howToGetRedis(error: unknown): string {
  const reason = error instanceof Error ? (error.message.trim().split("\n").at(-1) ?? "") : String(error);
  return [
    `No Redis here, and none could be fetched (${reason}). Any one of these helps:`,
    "  - install Redis 6.2 or later, or Valkey, so that redis-server or valkey-server is on the PATH;",
    "  - set REDIS_URL, say REDIS_URL=redis://127.0.0.1:6379, to use one that runs already;",
    "  - with Docker: docker compose up",
  ].join("\n");
}
