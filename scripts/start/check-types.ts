/** The types of the agents, which Node strips without a look: each mistake as a line with its file, line and column. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { ROOT } from "./processes.ts";

/** Longer than any check of a folder of agents takes. */
const WITHIN_MS = 60_000;

/**
 * Checks the folder by its `tsconfig.json`; without one, or without TypeScript (an image for production has none), it
 * does nothing. Paths in the lines begin at the root of the repository.
 */
export async function checkTypes(folder: string, onLine: (line: string) => void): Promise<void> {
  const compiler = findCompiler();
  const settings = join(folder, "tsconfig.json");
  if (compiler === null || !existsSync(settings)) return;
  const args = [compiler, "--noEmit", "--pretty", "false", "--project", settings];
  const child = spawn(process.execPath, args, {
    ...{ cwd: ROOT, stdio: ["ignore", "pipe", "inherit"], timeout: WITHIN_MS },
  });
  createInterface({ input: child.stdout }).on("line", onLine);
  await new Promise<void>((resolve) => {
    child.once("error", (error) => {
      onLine(`types are not checked: ${error.message}`);
      resolve();
    });
    child.once("close", () => resolve());
  });
}

function findCompiler(): string | null {
  try {
    return join(dirname(createRequire(join(ROOT, "package.json")).resolve("typescript/package.json")), "bin/tsc");
  } catch {
    return null;
  }
}
