/**
 * An example of packages/agents/examples with the packages of its lock file, as a folder of plugins. `npm ci` runs once
 * for each lock, in a folder that all checkouts share; the platform's own packages stay out of it.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { ROOT } from "./sources.ts";

const CACHE = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "agent-paas/examples");
/** For each of two tries: a registry that hangs once does not hang twice. */
const INSTALLED_WITHIN_MS = 90_000;

/** A copy of the example, for AGENTS_DIR; `keep` says when it may go. Default: at the end of the test. */
export async function frameworkExample(
  name: string,
  keep: (remove: () => Promise<void>) => void = onTestFinished,
): Promise<string> {
  const example = join(ROOT, "packages/agents/examples", name);
  const packages = await install(example, name);
  const folder = await mkdtemp(join(tmpdir(), `agent-paas-${name}-`));
  keep(() => rm(folder, { recursive: true }));
  const isSource = (path: string) => !path.endsWith("node_modules");
  await cp(example, folder, { recursive: true, filter: isSource });
  await symlink(join(packages, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** A copy of the file beside the packages of the example; it goes with the test. */
export async function besideExample(name: string, file: string): Promise<string> {
  const folder = await frameworkExample(name);
  const copy = join(folder, basename(file));
  await cp(file, copy);
  return copy;
}

/** The folder in which the lock's packages are installed. It appears under its name complete or not at all. */
async function install(example: string, name: string): Promise<string> {
  const lock = await readFile(join(example, "package-lock.json"));
  const target = join(CACHE, `${name}-${createHash("sha256").update(lock).digest("hex").slice(0, 16)}`);
  if (await exists(target)) return target;
  await mkdir(CACHE, { recursive: true });
  const aside = await mkdtemp(`${target}.`);
  try {
    for (const file of ["package.json", "package-lock.json"]) await cp(join(example, file), join(aside, file));
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--prefer-offline"];
    const installed = () => promisify(execFile)("npm", args, { cwd: aside, timeout: INSTALLED_WITHIN_MS });
    await installed().catch(installed);
    await rename(aside, target);
  } catch (error) {
    // Another test file may have been quicker.
    if (!(await exists(target))) throw error;
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  return target;
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
