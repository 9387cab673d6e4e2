/** `npm start` as a newcomer calls it, and how a terminal ends it. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect } from "vitest";
import { processTree, stillRunning } from "./process-tree.ts";
import { ROOT } from "./sources.ts";
import { settledWithin, waitFor } from "./wait-for.ts";

export const UP_WITHIN_MS = 90_000;
const STOPPED_WITHIN_MS = 15_000;

export type NpmStart = ReturnType<typeof npmStart>;

/** Data and logs lie below `dir`. */
export function npmStart(dir: string, own: NodeJS.ProcessEnv, ...args: string[]) {
  // A newcomer's shell names no Redis, no Chroma and no key of a model.
  const { REDIS_URL, CHROMA_URL, OPENAI_API_KEY, ...env } = process.env;
  const child = spawn("npm", ["start", "--", ...args], {
    cwd: ROOT,
    env: { ...env, DATA_DIR: join(dir, "data"), LOG_DIR: join(dir, "logs"), ...own },
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const pid = child.pid ?? 0;
  return {
    pid,
    output: () => output,
    exited,
    up: () => waitFor("npm start to be up", () => /^curl .*\n/m.test(output), UP_WITHIN_MS),
    /** Resolves once the terminal shows it. */
    shows: (words: string | RegExp) =>
      waitFor(
        `the terminal to show ${words}`,
        () => (typeof words === "string" ? output.includes(words) : words.test(output)),
        UP_WITHIN_MS,
      ),
    /** As a terminal does it: the signal reaches npm and all processes of its group. */
    ctrlC: () => process.kill(-pid, "SIGINT"),
  };
}

export async function stopClean(started: NpmStart): Promise<void> {
  const pids = await processTree(started.pid);
  expect(pids.length).toBeGreaterThan(6);
  started.ctrlC();
  expect(await settledWithin("the stop", STOPPED_WITHIN_MS, started.exited)).toBe(0);
  await waitFor("every process to have ended", async () => (await stillRunning(pids)).length === 0);
}
