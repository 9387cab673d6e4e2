import { execFile } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { ROOT } from "./start/processes.ts";

const run = promisify(execFile);
/** Loads everything that a process runs, and says whether the compiler of TypeScript was needed for it. */
const LOAD = `
  for (const entry of ["apps/api/src/start-api.ts", "apps/worker/src/start-worker.ts", "scripts/start/platform.ts"]) {
    await import(${JSON.stringify(ROOT)} + "/" + entry);
  }
  console.log(process.moduleLoadList.some((name) => name.includes("amaro")) ? "stripped" : "cached");
  process.exit();
`;

function cacheFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "compile-cache-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function load(env: NodeJS.ProcessEnv): Promise<string> {
  const args = ["--import", "./scripts/require-node.mjs", "--input-type=module", "-e", LOAD];
  const { stdout, stderr } = await run(process.execPath, args, { cwd: ROOT, env: { PATH: process.env.PATH, ...env } });
  expect(stderr).toBe("");
  return stdout.trim();
}

test("the first process already runs from the compile cache and strips no types", async () => {
  expect(await load({ NODE_COMPILE_CACHE: cacheFolder() })).toBe("cached");
}, 60_000);

test("a compile cache that is turned off or cannot be written keeps no process from its start", async () => {
  expect(await load({ NODE_COMPILE_CACHE: cacheFolder(), NODE_DISABLE_COMPILE_CACHE: "1" })).toBe("stripped");
  const folder = cacheFolder();
  chmodSync(folder, 0o500);
  // The superuser writes everywhere.
  const isWritten = process.getuid?.() === 0;
  expect(await load({ NODE_COMPILE_CACHE: folder })).toBe(isWritten ? "cached" : "stripped");
  // Starts all the same, from the default folder's cache or without one.
  await load({ NODE_COMPILE_CACHE: "/dev/null/none" });
}, 60_000);
