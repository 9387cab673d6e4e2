/**
 * `npm start`: runs the whole platform on this machine until it is stopped. Only this file reads process.env and ends
 * the process; all other modules receive what they need.
 *
 * 1. Nothing is started before the data folder is locked and the API's port is known to be free.
 * 2. Every way out of this file stops the started processes, in order and within a bound.
 * 3. A terminal that nobody reads holds up neither the processes nor their end.
 * 4. No child outlives this process, even if this process is killed (services/child.ts).
 */
import { loadDotEnv } from "./start/dot-env.ts";
import "./require-node.mjs";
import { join } from "node:path";
import { isOpenToOthers, makeFilesPrivate } from "@agent-paas/shared/files/private-files.ts";
import { keepNodeFromWaiting, STANDARD_ERROR, STANDARD_OUTPUT } from "@agent-paas/shared/standard-output.ts";
import { ChildError } from "./services/child.ts";
import { listenProblem } from "./services/ports.ts";
import { lockDataDir } from "./start/data-lock.ts";
import { Fleet } from "./start/fleet.ts";
import { createFolderWatch } from "./start/folder-watch.ts";
import { HELP, resolveOptions, type StartOptions, UsageError } from "./start/options.ts";
import { startPlatform } from "./start/platform.ts";
import { preparePrivateFolders } from "./start/private-data.ts";
import { ROOT } from "./start/processes.ts";
import { reloadAgents } from "./start/reload-agents.ts";
import { createScreen } from "./start/screen.ts";

/** A process needs a little longer to stop than the grace that it gives to running work. */
const BEYOND_GRACE_MS = 1_000;
/** One Ctrl-C arrives twice: from the terminal, and again from npm, which forwards it. */
const ONE_KEY_PRESS_MS = 500;
const PARENT_CHECK_MS = 500;
/** The exit code that shells report for an end by SIGINT. */
const EXIT_KILLED = 130;

for (const fd of [STANDARD_OUTPUT, STANDARD_ERROR]) keepNodeFromWaiting(fd);
const screen = createScreen(process.stdout);

async function main(): Promise<number> {
  const dotEnv = join(ROOT, ".env");
  loadDotEnv(dotEnv, process.env);
  const options = resolveOptions(process.argv.slice(2), process.env, ROOT);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  makeFilesPrivate();
  // .env holds keys, but it is the user's own file.
  const open = [...preparePrivateFolders(options, ROOT), ...[dotEnv].filter(isOpenToOthers)];
  if (open.length > 0) screen.remark("data", `other users of this machine can read ${open.join(", ")}`);
  using lock = lockDataDir(options.dataDir);
  if (!lock) throw new UsageError(`Another npm start runs on ${options.dataDir}. Stop it, or set another DATA_DIR`);
  await assertPortFree(options);
  // Awaited, because returning releases the lock.
  return await run(options);
}

async function run(options: StartOptions): Promise<number> {
  const fleet = new Fleet();
  const workerWithinMs = options.graceMs + BEYOND_GRACE_MS;
  const stop = () => fleet.stop(workerWithinMs);
  let killed = false;
  const stopRequested = stopReason(() => {
    killed = true;
    void fleet.kill();
  });

  const watch = options.watch === undefined ? null : createFolderWatch(options.watch, fleet.stopping);
  screen.title();
  const started = startPlatform({ options, env: process.env, fleet, screen }).then((welcome) => {
    screen.welcome(welcome);
    if (watch !== null) void reloadAgents(watch, { fleet, screen, workerWithinMs });
  });
  try {
    await Promise.race([started, stopRequested]);
    screen.stopping(await stopRequested);
  } catch (error) {
    screen.failure(describe(error), error instanceof ChildError ? error.lastLines : []);
    await stop();
    return 1;
  }
  await stop();
  // A stop during the start makes it reject; the platform has stopped in both cases.
  await started.catch(() => {});
  screen.stopped();
  return killed ? EXIT_KILLED : 0;
}

/** Resolves with the first reason to stop; a later signal calls `onSecondSignal`. */
function stopReason(onSecondSignal: () => void): Promise<string> {
  return new Promise((resolve) => {
    // A SIGTERM to npm ends the shell between npm and this process and is not forwarded.
    const parent = process.ppid;
    const orphaned = () => process.ppid !== parent && resolve("npm is gone");
    if (process.env.npm_lifecycle_event !== undefined) setInterval(orphaned, PARENT_CHECK_MS).unref();

    let firstAt: number | undefined;
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => {
        if (firstAt === undefined) {
          firstAt = performance.now();
          resolve(name);
        } else if (performance.now() - firstAt > ONE_KEY_PRESS_MS) onSecondSignal();
      });
    }
  });
}

async function assertPortFree({ host, port }: StartOptions): Promise<void> {
  const problem = await listenProblem(host, port);
  if (problem === undefined) return;
  const reasons: Record<string, string> = {
    EADDRINUSE: "the port is in use. Choose another one, for example npm start -- --port 8001",
    EACCES: "this user may not use that port. Choose one from 1024 up, for example npm start -- --port 8000",
    EADDRNOTAVAIL: "HOST is not an address of this machine",
    ENOTFOUND: "HOST is not an address of this machine",
  };
  throw new UsageError(`Cannot listen on ${host}:${port}: ${reasons[problem] ?? problem}`);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

let exitCode = 1;
try {
  exitCode = await main();
} catch (error) {
  screen.failure(error instanceof UsageError ? error.message : ((error as Error).stack ?? String(error)));
}
await screen.flush();
process.exit(exitCode);
