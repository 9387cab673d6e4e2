/**
 * One run of one child process, from spawning to its end. Restarting is left to supervised-process.ts and
 * restartable-process.ts.
 *
 * 1. A child leads its own session and process group: the terminal's Ctrl-C reaches only this process, which then stops
 *    its children in order.
 * 2. A child does not outlive this process, however this process ends: a parent-death watchdog ends it (below).
 * 3. A child's process group ends with the child: SIGKILL follows for the processes that it left behind.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";

const PROBE_EVERY_MS = 50;
const LINES_KEPT = 20;
/** How long to wait for the last output after the exit, in case a process outside the group keeps the pipes open. */
const DRAIN_MS = 500;

export type ChildSpec = {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Runs the command as this user, which only root may. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Written to standard input, which then closes: for settings that must not appear in the process list. */
  readonly input?: string;
  /** "message": the child sends "ready" over IPC. A function is polled until it resolves to true; it never rejects. */
  readonly ready: "message" | (() => Promise<boolean>);
  /** Receives every line of standard output and error, without colours. */
  readonly onLine?: (line: string) => void;
};

export type Exit = {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
};

export type Child = {
  /** 0 when the command could not be run. */
  readonly pid: number;
  readonly exited: Promise<Exit>;
  /** Rejects with a ChildError if the child ends first, or if the time is up; the child is then killed. */
  ready(withinMs: number): Promise<void>;
  /** Signals the child alone, not its group; does nothing once it has ended. */
  signal(signal: NodeJS.Signals): void;
  /** SIGTERM, and SIGKILL for the whole group when the time is up. */
  stop(withinMs: number): Promise<Exit>;
  /** SIGKILL for the whole group. */
  kill(): Promise<Exit>;
};

export class ChildError extends Error {
  override readonly name = "ChildError";
  readonly lastLines: readonly string[];

  constructor(message: string, lastLines: readonly string[]) {
    super(message);
    this.lastLines = lastLines;
  }
}

export function describeExit({ code, signal }: Exit): string {
  if (signal !== null) return `killed by ${signal}`;
  return code === null ? "could not be run" : `exit code ${code}`;
}

export function spawnChild(spec: ChildSpec): Child {
  const withMessages = spec.ready === "message";
  const child = spawn(spec.command, spec.args, {
    env: spec.env,
    ...spec.user,
    detached: true,
    stdio: [spec.input === undefined ? "ignore" : "pipe", "pipe", "pipe", ...(withMessages ? ["ipc" as const] : [])],
  });
  const pid = child.pid ?? 0;
  const lastLines: string[] = [];
  const take = (raw: string) => {
    const line = stripVTControlCharacters(raw);
    lastLines.push(line);
    if (lastLines.length > LINES_KEPT) lastLines.shift();
    spec.onLine?.(line);
  };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on("line", take);
  }
  // A child that ends before it has read its input breaks the pipe; its exit reports that already.
  child.stdin?.on("error", () => {}).end(spec.input);
  const stopWatchdog = pid === 0 ? () => {} : startParentDeathWatchdog(pid);

  let ended = false;
  const exited = new Promise<Exit>((resolve) => {
    child.on("error", (error) => {
      take(error.message);
      if (pid === 0) resolve({ code: null, signal: null });
    });
    child.once("exit", (code, signal) => {
      ended = true;
      killGroup(pid);
      stopWatchdog();
      const settle = () => resolve({ code, signal });
      child.once("close", settle);
      setTimeout(settle, DRAIN_MS).unref();
    });
  });
  const announced = withMessages ? readyMessage(child) : undefined;

  const self: Child = {
    pid,
    exited,
    async ready(withinMs) {
      const over = new AbortController();
      const isReady = async () => {
        if (announced) await announced;
        while (typeof spec.ready === "function" && !over.signal.aborted && !(await spec.ready())) {
          await delay(PROBE_EVERY_MS);
        }
        return "ready" as const;
      };
      const late = delay(withinMs, "late" as const, { signal: over.signal }).catch(() => "late" as const);
      const outcome = await Promise.race([isReady(), exited, late]);
      over.abort();
      if (outcome === "ready") return;
      if (outcome === "late") {
        await self.kill();
        throw new ChildError(`${spec.name} was not ready within ${withinMs / 1000} s`, lastLines);
      }
      throw new ChildError(`${spec.name} ended before it was ready (${describeExit(outcome)})`, lastLines);
    },
    signal(signal) {
      if (!ended) child.kill(signal);
    },
    async stop(withinMs) {
      self.signal("SIGTERM");
      const deadline = setTimeout(() => void self.kill(), withinMs);
      const exit = await exited;
      clearTimeout(deadline);
      return exit;
    },
    kill() {
      if (!ended) killGroup(pid);
      return exited;
    },
  };
  return self;
}

function readyMessage(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on("message", (message) => {
      if (message === "ready") resolve();
    });
  });
}

function killGroup(leader: number): void {
  // Group 0 is this process's own group.
  if (leader === 0) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    // The group is already empty; macOS reports EPERM where other systems report ESRCH.
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
}

/**
 * The parent-death watchdog: a shell that reads from a pipe whose other end only this process holds. When this process
 * dies, even by SIGKILL, the kernel closes the pipe and the shell ends the child's group: SIGTERM, then SIGKILL after
 * ten seconds. Unlike PR_SET_PDEATHSIG it works on every POSIX system and does not depend on the spawning thread.
 */
function startParentDeathWatchdog(pid: number): () => void {
  const script = `
    read -r _; kill -s TERM -- "-$1"
    for _ in 1 2 3 4 5 6 7 8 9 10; do sleep 1; kill -s 0 -- "-$1" || exit 0; done
    kill -s KILL -- "-$1"`;
  const shell = spawn("/bin/sh", ["-c", script, "parent-death-watchdog", String(pid)], {
    env: {},
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  shell.on("error", () => {});
  shell.stdin.on("error", () => {});
  // Neither may keep this process alive, because both wait for its end.
  shell.unref();
  (shell.stdin as Socket).unref();
  return () => shell.kill("SIGKILL");
}
