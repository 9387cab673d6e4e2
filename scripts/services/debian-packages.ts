/**
 * Downloads packages of the installed Debian or Ubuntu, with those dependencies that are not installed, and unpacks
 * them into a folder. This needs no root and changes nothing in the system. apt itself resolves the dependencies. The
 * named packages are downloaded also if they are installed.
 *
 * 1. apt reads the system's sources, keys and list of installed packages, and writes only below `into`.
 * 2. `into` is complete only when the promise resolves; the caller then moves it into place as a whole.
 */
import { execFile } from "node:child_process";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { makeFolder } from "@agent-paas/shared/files/folders.ts";

const run = promisify(execFile);
/** Limit of one apt call; the longest is the first download of the package lists. */
const APT_WITHIN_MS = 180_000;

export type UnpackOptions = {
  readonly packages: readonly string[];
  /** An empty folder that the caller made. */
  readonly into: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
};

export async function unpackDebianPackages({ packages, into, env, signal }: UnpackOptions): Promise<void> {
  const work = join(into, ".apt");
  const archives = join(work, "archives");
  const options = {
    env: { ...env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
    timeout: APT_WITHIN_MS,
    ...(signal && { signal }),
  };
  const aptGet = (config: string, ...args: string[]) =>
    run("apt-get", ["-c", config, "--quiet", "--yes", ...args], options);
  /** apt only warns about an installed package that it cannot download, so what has arrived is looked at. */
  async function download(config: string): Promise<void> {
    await aptGet(config, "install", "--download-only", "--reinstall", "--no-install-recommends", ...packages);
    const arrived = await readdir(archives);
    const missing = packages.filter((name) => !arrived.some((file) => file.startsWith(`${name}_`)));
    if (missing.length > 0) throw new Error(`apt has not downloaded ${missing.join(" and ")}`);
  }

  for (const folder of ["archives/partial", "lists/partial", "log"]) makeFolder(join(work, folder));
  const shared = await writeConfig(work, "system-lists.conf", []);
  try {
    await download(shared);
  } catch (error) {
    if (signal?.aborted) throw error;
    // The system's package lists are missing or too old to download from: fetch separate ones.
    const own = await writeConfig(work, "own-lists.conf", [`Dir::State::lists "${work}/lists";`]);
    await aptGet(own, "update");
    await download(own);
  }
  for (const file of await readdir(archives)) {
    if (file.endsWith(".deb")) await run("dpkg-deb", ["--extract", join(archives, file), into], options);
  }
  await rm(work, { recursive: true });
}

/** Settings go into a file, not into `-o` options: only a file can clear the hooks that images and desktops install. */
async function writeConfig(work: string, name: string, more: readonly string[]): Promise<string> {
  const file = join(work, name);
  const lines = [
    `Dir::Cache "${work}";`,
    `Dir::Cache::archives "${work}/archives";`,
    `Dir::Log "${work}/log";`,
    'Debug::NoLocking "true";',
    // Run by root, apt would switch to its own user, which cannot write into this folder.
    'APT::Sandbox::User "";',
    "#clear APT::Update::Pre-Invoke;",
    "#clear APT::Update::Post-Invoke;",
    "#clear APT::Update::Post-Invoke-Success;",
    ...more,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  return file;
}
