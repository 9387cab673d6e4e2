/**
 * `npm run lock`: writes package-lock.json from the package.json files alone, and those of the examples that have
 * packages of their own.
 *
 * It runs in an empty folder because npm otherwise keeps what an existing node_modules holds and omits the optional
 * packages of other platforms; `npm ci` refuses such a lock file elsewhere. It then restores `"gypfile": false`, which
 * npm drops from better-sqlite3: without it `npm ci` needs a compiler for a build that does nothing.
 */
import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

writeLock(root, ["package.json", ...workspaces.flatMap((each) => globSync(`${each}/package.json`, { cwd: root }))]);
for (const example of globSync("packages/agents/examples/*/package.json", { cwd: root })) {
  writeLock(join(root, dirname(example)), ["package.json"]);
}

/** @param manifests the package.json files, as paths below `target`. */
function writeLock(target, manifests) {
  const folder = mkdtempSync(join(tmpdir(), "agent-paas-lock-"));
  try {
    for (const file of manifests) cpSync(join(target, file), join(folder, file), { recursive: true });
    cpSync(join(root, ".npmrc"), join(folder, ".npmrc"));
    execFileSync("npm", ["install", "--package-lock-only"], { cwd: folder, stdio: "inherit" });
    const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
    for (const [path, entry] of Object.entries(lock.packages)) {
      if (path.endsWith("node_modules/better-sqlite3")) entry.gypfile = false;
      // Addresses of registries must not enter the repository.
      if (/^https?:/.test(entry.resolved ?? "")) delete entry.resolved;
    }
    writeFileSync(join(target, "package-lock.json"), `${JSON.stringify(lock, null, 2)}\n`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
