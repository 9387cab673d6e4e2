/** The machine and the versions of a run; without them its figures cannot be compared. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { arch, cpus, loadavg, release, totalmem, type } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheDirOf, locateRedis } from "../../../scripts/services/redis-binary.ts";
import { ROOT } from "../../../scripts/start/processes.ts";

const run = promisify(execFile);
const BYTES_PER_GIB = 1_024 ** 3;
const SHOWN_PACKAGES = ["express", "openai", "bullmq", "ioredis", "better-sqlite3"];

export type Environment = {
  readonly commit: string;
  readonly machine: string;
  readonly versions: Readonly<Record<string, string>>;
  /** Load average of the minute before the run: other processes take CPU time from the measured ones. */
  readonly loadBefore: number;
};

export async function describeEnvironment(): Promise<Environment> {
  const [processor] = cpus();
  const machine = [
    `${cpus().length} × ${processor?.model.trim() ?? "unknown processor"}`,
    `${Math.round(totalmem() / BYTES_PER_GIB)} GiB`,
    `${type()} ${release()} ${arch()}`,
  ].join(", ");
  const packages = SHOWN_PACKAGES.map(async (name) => [name, await packageVersion(name)] as const);
  const versions = {
    node: process.version,
    redis: await redisVersion(),
    ...Object.fromEntries(await Promise.all(packages)),
  };
  return { commit: await commit(), machine, versions, loadBefore: loadavg()[0] ?? 0 };
}

/** The commit, with `+` if tracked files differ from it; "none" outside a clone. */
async function commit(): Promise<string> {
  try {
    const git = async (...args: string[]) => (await run("git", args, { cwd: ROOT })).stdout.trim();
    const isDirty = (await git("status", "--porcelain", "--untracked-files=no")) !== "";
    return (await git("rev-parse", "--short=10", "HEAD")) + (isDirty ? "+" : "");
  } catch {
    return "none";
  }
}

async function packageVersion(name: string): Promise<string> {
  const file = join(ROOT, "node_modules", name, "package.json");
  return (JSON.parse(await readFile(file, "utf8")) as { version: string }).version;
}

async function redisVersion(): Promise<string> {
  const cacheDir = await cacheDirOf(process.env, join(ROOT, "data/cache"));
  return (await locateRedis({ env: process.env, cacheDir })).description.replace("Redis ", "");
}
