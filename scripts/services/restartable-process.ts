/**
 * A process that its owner kills, pauses, stops and starts again: the form that fault tests and chaos runs need. Every
 * start runs the same command, so the process returns to the same port with the same data. A supervised process
 * (supervised-process.ts) differs in that it restarts by itself.
 */
import { type Child, type ChildSpec, type Exit, spawnChild } from "./child.ts";

const READY_WITHIN_MS = 60_000;
const NEVER_STARTED: Exit = { code: 0, signal: null };

export type RestartableProcess = {
  readonly name: string;
  /** Of the latest run; 0 before the first. */
  readonly pid: number;
  /** Resolves when the latest run has ended, for whatever reason. */
  readonly exited: Promise<Exit>;
  /** Starts the first run, or another one after `kill` or `stop`; resolves when it is ready. */
  start(): Promise<void>;
  /** SIGKILL, as in a crash; resolves when the process has ended. */
  kill(): Promise<Exit>;
  signal(name: NodeJS.Signals): void;
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** SIGTERM, then SIGKILL after the time that the process was created with. */
  stop(): Promise<Exit>;
};

export function createRestartableProcess(spec: ChildSpec, stopWithinMs: number): RestartableProcess {
  let child: Child | undefined;
  return {
    name: spec.name,
    get pid() {
      return child?.pid ?? 0;
    },
    get exited() {
      return child?.exited ?? Promise.resolve(NEVER_STARTED);
    },
    async start() {
      child = spawnChild(spec);
      await child.ready(READY_WITHIN_MS);
    },
    kill: async () => child?.kill() ?? NEVER_STARTED,
    signal: (name) => child?.signal(name),
    pause: () => child?.signal("SIGSTOP"),
    resume: () => child?.signal("SIGCONT"),
    async stop() {
      // A paused process does not receive SIGTERM until it is resumed.
      child?.signal("SIGCONT");
      return child?.stop(stopWithinMs) ?? NEVER_STARTED;
    },
  };
}
