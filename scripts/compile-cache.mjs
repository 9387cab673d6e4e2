/**
 * Turns on Node's compile cache, which keeps the JavaScript that Node makes of the TypeScript sources. Without it every
 * process loads the compiler that strips the types: 20 MiB and half a second each. Whatever the cache lacks is stripped
 * as usual, and an entry for a source that has changed is never used.
 *
 * The cache is filled before the first process needs it, by a process of its own, because a compiler once loaded is
 * never unloaded. NODE_COMPILE_CACHE names another folder, NODE_DISABLE_COMPILE_CACHE=1 turns the cache off.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { enableCompileCache, getCompileCacheDir } from "node:module";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const FILL_WITHIN_MS = 60_000;

enableCompileCache(join(ROOT, "node_modules/.cache/compile"));
// Undefined where it is turned off, or where no folder can be made.
const folder = getCompileCacheDir();
if (folder !== undefined) fill(folder);

function fill(folder) {
  const sources = globSync("{agents,apps/*/src,packages/*/src,scripts}/**/*.ts", { cwd: ROOT })
    .filter((file) => !file.endsWith(".test.ts"))
    .map((file) => join(ROOT, file))
    .sort();
  const state = createHash("sha256");
  for (const file of sources) state.update(`${file} ${statSync(file).mtimeMs}\n`);
  const filled = join(folder, "filled");
  const wanted = state.digest("hex");
  try {
    if (read(filled) === wanted) return;
    // Before the work, so that a folder that cannot be written costs it at no start.
    writeFileSync(filled, "");
    const env = { ...process.env, NODE_COMPILE_CACHE: resolve(folder, "..") };
    const script = join(import.meta.dirname, "fill-compile-cache.mjs");
    const { status } = spawnSync(process.execPath, [script], {
      ...{ env, input: JSON.stringify(sources), stdio: ["pipe", "ignore", "ignore"], timeout: FILL_WITHIN_MS },
    });
    if (status === 0) writeFileSync(filled, wanted);
  } catch {
    // A cache is no reason not to start.
  }
}

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return null;
  }
}
