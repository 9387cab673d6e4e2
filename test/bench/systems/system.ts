/** A system under measurement: server processes by role, an address, and one way to be rid of all of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createReleasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { type Child, spawnChild } from "../../../scripts/services/child.ts";
import { startPrivateRedis } from "../../support/redis.ts";
import type { Target } from "../client/load.ts";
import type { Role, ServerProcess } from "../measure/usage.ts";

export const ROOT = resolve(import.meta.dirname, "../../..");
const READY_WITHIN_MS = 60 * SECOND;
const STOP_WITHIN_MS = 15 * SECOND;
const LINES_REMARKED = 3;

export type System = {
  readonly target: Target;
  /** Those that count; the model and the load generator do not. */
  readonly processes: readonly ServerProcess[];
  stop(): Promise<void>;
};

export type NodeProcess = {
  readonly name: string;
  /** From the root of the repository. */
  readonly main: string;
  /** Of Node; default: none. */
  readonly flags?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
};

/** What a system is built of; `stop` takes all of it down, last in first out. */
export type Stack = {
  readonly processes: ServerProcess[];
  tempDir(): Promise<string>;
  /** A fresh one, as the product brings it along: append-only file, synced every second. */
  redis(): Promise<string>;
  node(role: Role | "helper", spec: NodeProcess): Promise<Child>;
  stop(): Promise<void>;
};

const running = new Set<Stack>();
let isStopping = false;

/** For the end of the whole run: takes down what there is, and nothing can be started any more. */
export async function stopAllSystems(): Promise<void> {
  isStopping = true;
  await Promise.all([...running].map((stack) => stack.stop()));
}

export type StackOptions = {
  /** Where Node writes a CPU profile of each server process when it ends. */
  readonly cpuProfDir?: string | undefined;
  /** Told the first lines that a process prints: these are warnings, or what it died of. */
  readonly remark?: (text: string) => void;
};

export function createStack({ cpuProfDir, remark = () => {} }: StackOptions = {}): Stack {
  if (isStopping) throw new Error("the run is being stopped");
  const releasers = createReleasers((name, error) => console.error(`${name} did not stop cleanly`, error));
  const processes: ServerProcess[] = [];
  let stopped: Promise<void> | undefined;
  const stack: Stack = {
    processes,
    async tempDir() {
      const dir = await mkdtemp(join(tmpdir(), "agent-paas-bench-"));
      releasers.add(dir, () => rm(dir, { recursive: true, force: true }));
      return dir;
    },
    async redis() {
      const redis = await startPrivateRedis();
      releasers.add("redis", () => redis.stop());
      processes.push({ role: "redis", pid: redis.pid });
      return redis.url;
    },
    async node(role, { name, main, flags = [], env }) {
      const profile =
        cpuProfDir === undefined || role === "helper"
          ? []
          : ["--cpu-prof", `--cpu-prof-dir=${cpuProfDir}`, `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`];
      let linesLeft = role === "helper" ? 0 : LINES_REMARKED;
      const child = spawnChild({
        name,
        command: process.execPath,
        args: [...flags, ...profile, join(ROOT, main)],
        env: { PATH: process.env.PATH, NODE_ENV: "production", ...env },
        ready: "message",
        onLine: (line) => {
          if (linesLeft-- > 0) remark(`${name} says: ${line}`);
        },
      });
      releasers.add(name, () => child.stop(STOP_WITHIN_MS));
      await child.ready(READY_WITHIN_MS);
      if (role !== "helper") processes.push({ role, pid: child.pid });
      return child;
    },
    stop: () => (stopped ??= releasers.release().finally(() => running.delete(stack))),
  };
  running.add(stack);
  return stack;
}

/** Builds a system, or takes down what there is of it. */
export async function build<T>(stack: Stack, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
