// `npm start`: the whole platform on this machine, until it is told to stop. The only place here that reads
// process.env and ends the process; everything below is handed what it needs.
//
// 1. Nothing is started before the data folder is locked and the API's port is known to be free.
// 2. Whatever was started is stopped again, in order and within a bound, on every way out of here.
// 3. Nothing outlives this process, even if it is killed (services/child.ts).
import "./require-node.mjs";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { ChildError } from "./services/child.ts";
import { listenProblem } from "./services/ports.ts";
import { lockDataDir } from "./start/data-lock.ts";
import { Fleet } from "./start/fleet.ts";
import { HELP, resolveOptions, type StartOptions, UsageError } from "./start/options.ts";
import { startPlatform } from "./start/platform.ts";
import { createScreen } from "./start/screen.ts";

const ROOT = resolve(import.meta.dirname, "..");
/** A part may need a little longer than the grace that it gives to running work. */
const BEYOND_GRACE_MS = 1_000;
/** npm passes the terminal's Ctrl-C on although it reached us already: one key press arrives twice. */
const ONE_KEY_PRESS_MS = 500;
const PARENT_CHECK_MS = 500;
/** As shells have it for an end by SIGINT. */
const EXIT_KILLED = 130;

const screen = createScreen(process.stdout);

async function main(): Promise<number> {
  const dotEnv = join(ROOT, ".env");
  // The environment wins over the file.
  if (existsSync(dotEnv)) process.loadEnvFile(dotEnv);
  const options = resolveOptions(process.argv.slice(2), process.env, ROOT);
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  // What people say to agents is nobody else's on this machine.
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  if (options.logDir !== undefined) await mkdir(options.logDir, { recursive: true });
  using lock = lockDataDir(options.dataDir);
  if (!lock) throw new UsageError(`Another npm start runs on ${options.dataDir}. Stop it, or set another DATA_DIR`);
  await assertPortFree(options);
  // Awaited here: the lock is held until this function is left.
  return await run(options);
}

async function run(options: StartOptions): Promise<number> {
  const fleet = new Fleet();
  const stop = () => fleet.stop(options.graceMs + BEYOND_GRACE_MS);
  let killed = false;
  const told = stopReason(() => {
    killed = true;
    void fleet.kill();
  });

  screen.title();
  const started = startPlatform({ root: ROOT, options, env: process.env, fleet, screen }).then(screen.welcome);
  try {
    await Promise.race([started, told]);
    screen.stopping(await told);
  } catch (error) {
    screen.failure(describe(error), error instanceof ChildError ? error.lastLines : []);
    await stop();
    return 1;
  }
  await stop();
  // Rejects when the stop came first; it is over in both cases.
  await started.catch(() => {});
  screen.stopped();
  return killed ? EXIT_KILLED : 0;
}

/** Resolves with the first reason to end; a signal after that calls `again`. */
function stopReason(again: () => void): Promise<string> {
  return new Promise((resolve) => {
    // A SIGTERM to npm ends the shell between it and us, and is not passed on.
    const parent = process.ppid;
    const orphaned = () => process.ppid !== parent && resolve("npm is gone");
    if (process.env.npm_lifecycle_event !== undefined) setInterval(orphaned, PARENT_CHECK_MS).unref();

    let firstAt: number | undefined;
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => {
        if (firstAt === undefined) {
          firstAt = performance.now();
          resolve(name);
        } else if (performance.now() - firstAt > ONE_KEY_PRESS_MS) again();
      });
    }
  });
}

async function assertPortFree({ host, port }: StartOptions): Promise<void> {
  const problem = await listenProblem(host, port);
  if (problem === undefined) return;
  const reasons: Record<string, string> = {
    EADDRINUSE: "the port is in use. Take another, say npm start -- --port 8001",
    EACCES: "this user may not use that port. Take one from 1024 on, say npm start -- --port 8000",
    EADDRNOTAVAIL: "HOST is no address of this machine",
    ENOTFOUND: "HOST is no address of this machine",
  };
  throw new UsageError(`Cannot listen on ${host}:${port}: ${reasons[problem] ?? problem}`);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

try {
  process.exit(await main());
} catch (error) {
  screen.failure(error instanceof UsageError ? error.message : ((error as Error).stack ?? String(error)));
  process.exit(1);
}
