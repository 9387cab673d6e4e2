// Packages of the Debian or Ubuntu this runs on, with whatever they need that is not installed, downloaded and unpacked
// into a folder: no root, and nothing of the system is changed. apt itself works out what is missing.
//
// 1. apt reads the system's sources, keys and list of installed packages, and writes only below `into`.
// 2. `into` holds the files only when this resolves; the caller moves it into place as a whole.
import { execFile } from "node:child_process";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** One apt call; the largest is a first download of the package lists. */
const APT_WITHIN_MS = 180_000;

export interface UnpackOptions {
  readonly packages: readonly string[];
  /** An empty folder of the caller's. */
  readonly into: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
}

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
  const download = (config: string) =>
    aptGet(config, "install", "--download-only", "--no-install-recommends", ...packages);

  for (const folder of ["archives/partial", "lists/partial", "log"])
    await mkdir(join(work, folder), { recursive: true });
  const shared = await writeConfig(work, "system-lists.conf", []);
  try {
    await download(shared);
  } catch (error) {
    if (signal?.aborted) throw error;
    // Package lists that are missing or too old to download by: fetch some of our own.
    const own = await writeConfig(work, "own-lists.conf", [`Dir::State::lists "${work}/lists";`]);
    await aptGet(own, "update");
    await download(own);
  }
  for (const file of await readdir(archives)) {
    if (file.endsWith(".deb")) await run("dpkg-deb", ["--extract", join(archives, file), into], options);
  }
  await rm(work, { recursive: true });
}

/** A file, not `-o` options: only a file can clear the hooks that images and desktops install for apt to run. */
async function writeConfig(work: string, name: string, more: readonly string[]): Promise<string> {
  const file = join(work, name);
  const lines = [
    `Dir::Cache "${work}";`,
    `Dir::Cache::archives "${work}/archives";`,
    `Dir::Log "${work}/log";`,
    'Debug::NoLocking "true";',
    // As root, apt would drop to a user of its own, who cannot write here.
    'APT::Sandbox::User "";',
    "#clear APT::Update::Pre-Invoke;",
    "#clear APT::Update::Post-Invoke;",
    "#clear APT::Update::Post-Invoke-Success;",
    ...more,
  ];
  await writeFile(file, `${lines.join("\n")}\n`);
  return file;
}
