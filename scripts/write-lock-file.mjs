// `npm run lock`: writes package-lock.json in one go, from the package.json files alone.
//
// npm keeps what an existing node_modules has and leaves out optional packages of other platforms, and `npm ci` refuses
// such a lock file elsewhere; so it is made in an empty folder. And npm forgets that better-sqlite3 brings its binaries
// (`"gypfile": false`), so `npm ci` would want a compiler for a build that does nothing; so that is put back.
import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "agent-paas-lock-"));
try {
  const { workspaces } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const manifests = workspaces.flatMap((workspace) => globSync(`${workspace}/package.json`, { cwd: root }));
  for (const file of ["package.json", ".npmrc", ...manifests]) {
    cpSync(join(root, file), join(folder, file), { recursive: true });
  }
  execFileSync("npm", ["install", "--package-lock-only"], { cwd: folder, stdio: "inherit" });
  const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path.endsWith("node_modules/better-sqlite3")) entry.gypfile = false;
    // No registry's address belongs into the repository.
    if (/^https?:/.test(entry.resolved ?? "")) delete entry.resolved;
  }
  writeFileSync(join(root, "package-lock.json"), `${JSON.stringify(lock, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
