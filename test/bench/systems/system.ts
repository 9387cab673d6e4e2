/** A system under measurement: server processes by role, an address, and one call that stops all of it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createReleasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { type Child, spawnChild } from "../../../scripts/services/child.ts";
import { type NodeProcess, nodeSpec } from "../../../scripts/start/processes.ts";
import { startPostgres } from "../../support/postgres.ts";
import { startPrivateRedis } from "../../support/redis.ts";
import { startCluster } from "../../support/redis-sets.ts";
import type { Target } from "../client/load.ts";
import type { Role, ServerProcess } from "../measure/usage.ts";

const READY_WITHIN_MS = 60 * SECOND;
const STOP_WITHIN_MS = 15 * SECOND;
const LINES_REMARKED = 3;

export type System = {
  readonly target: Target;
  /** The processes that are measured: not the model server and not the load generator. */
  readonly processes: readonly ServerProcess[];
  stop(): Promise<void>;
};

/**
 * Starts the processes of a system and remembers them by role; `stop` stops all of them, last in first out. Processes
 * run once: a process that ends while it is measured fails the measurement.
 */
export type Stack = {
  readonly processes: ServerProcess[];
  tempDir(): Promise<string>;
  /**
   * Starts a fresh Redis with the settings of `npm start` (append-only file, synced every second); resolves to its URL.
   */
  redis(): Promise<string>;
  /** Starts three fresh masters with the same settings, each with a replica; resolves to their URL. */
  redisCluster(): Promise<string>;
  /** Starts a fresh PostgreSQL with its default settings that waits for no disk; resolves to its URL. */
  postgres(): Promise<string>;
  node(role: Role | "helper", plan: NodeProcess): Promise<Child>;
  /** For what a caller has started by itself. */
  onStop(name: string, release: () => Promise<unknown>): void;
  stop(): Promise<void>;
};

const running = new Set<Stack>();
let isStopping = false;

/** For the end of the whole run: stops all running systems and refuses to start further ones. */
export async function stopAllSystems(): Promise<void> {
  isStopping = true;
  await Promise.all([...running].map((stack) => stack.stop()));
}

export type StackOptions = {
  /** Where Node writes a CPU profile of each server process when it ends. */
  readonly cpuProfDir?: string | undefined;
  /** Receives the first lines that a process prints: warnings, or the error that ended it. */
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
    async redisCluster() {
      const cluster = await startCluster();
      releasers.add("redis cluster", () => cluster.stop());
      processes.push(...cluster.nodes.map(({ pid }) => ({ role: "redis" as const, pid })));
      return cluster.url;
    },
    async postgres() {
      const server = await startPostgres();
      releasers.add("postgres", server.stop);
      processes.push({ role: "database", pid: server.pid, hasChildren: true });
      return server.url;
    },
    async node(role, plan) {
      const { name, flags = [], env } = plan;
      const profile =
        cpuProfDir === undefined || role === "helper"
          ? []
          : ["--cpu-prof", `--cpu-prof-dir=${cpuProfDir}`, `--cpu-prof-name=${name}-${Date.now()}.cpuprofile`];
      let linesLeft = role === "helper" ? 0 : LINES_REMARKED;
      const spec = nodeSpec({
        ...plan,
        flags: [...flags, ...profile],
        env: { PATH: process.env.PATH, NODE_ENV: "production", ...env },
        onLine: (line) => {
          // The last word of a process that was stopped is no remark on the figures.
          if (!line.endsWith("exit code 0") && linesLeft-- > 0) remark(`${name} printed: ${line}`);
        },
      });
      const child = spawnChild(spec);
      releasers.add(name, () => child.stop(STOP_WITHIN_MS));
      await child.ready(READY_WITHIN_MS);
      if (role !== "helper") processes.push({ role, pid: child.pid });
      return child;
    },
    onStop: (name, release) => releasers.add(name, release),
    stop: () => (stopped ??= releasers.release().finally(() => running.delete(stack))),
  };
  running.add(stack);
  return stack;
}

/** Builds a system; if that fails, stops the processes already started. */
export async function build<T>(stack: Stack, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await stack.stop();
    throw error;
  }
}
