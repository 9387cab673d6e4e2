/**
 * MCP over the standard streams of a child process. Most servers are started by a runner (`npx`, `uvx`, a shell), and
 * the SDK's own transport would terminate the runner only.
 *
 * 1. The server leads a process group of its own. When the server has exited, its whole group is killed.
 * 2. `onclose` is called once, as soon as the end is known; `close` resolves when no process is left.
 * 3. The server inherits only the environment variables that the SDK considers safe.
 * 4. When this process dies, the server's standard input closes, which is the signal for servers to exit.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { SECOND } from "@agent-paas/shared/time.ts";
import { getDefaultEnvironment } from "@modelcontextprotocol/sdk/client/stdio.js";
import { serializeMessage } from "@modelcontextprotocol/sdk/shared/stdio.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { createLineBuffer } from "./line-buffer.ts";
import { readMessages } from "./mend-message.ts";
import { readLines } from "./read-lines.ts";

export type StdioServer = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string | undefined;
};

/** From SIGTERM to SIGKILL. */
const STOP_WITHIN_MS = 2 * SECOND;
/** How long to wait for the last output after the exit, when a process outside the group still holds the pipes. */
const DRAIN_MS = 500;

export function createStdioTransport(server: StdioServer, onStderrLine: (line: string) => void): Transport {
  const incoming = createLineBuffer();
  let child: ReturnType<typeof spawnServer> | undefined;
  let hasExited = false;
  let isClosed = false;

  function closed(): void {
    if (isClosed) return;
    isClosed = true;
    transport.onclose?.();
  }

  function read(chunk: Buffer): void {
    if (isClosed) return;
    let lines: readonly string[];
    try {
      lines = incoming.add(chunk);
    } catch (error) {
      // A message exceeds the limit, so the start of the next message cannot be found.
      report(error);
      void transport.close();
      return;
    }
    for (const line of lines) {
      try {
        for (const message of readMessages(line, report)) transport.onmessage?.(message);
      } catch (error) {
        // Some servers print more than messages.
        report(error);
      }
    }
  }

  const report = (error: unknown) => transport.onerror?.(error as Error);

  const transport: Transport = {
    async start() {
      const started = spawnServer(server);
      child = started;
      started.stdout.on("data", read);
      readLines(started.stderr, onStderrLine);
      for (const stream of [started.stdin, started.stdout, started.stderr]) stream.on("error", () => {});
      started.once("exit", (code, signal) => {
        hasExited = true;
        signalGroup(started.pid, "SIGKILL");
        onStderrLine(signal === null ? `ended with exit code ${code}` : `ended by ${signal}`);
        setTimeout(closed, DRAIN_MS).unref();
      });
      started.once("close", closed);
      await once(started, "spawn");
      started.on("error", (error) => transport.onerror?.(error));
    },
    send: (message) =>
      new Promise((resolve, reject) => {
        if (child === undefined || isClosed) throw new Error("the server is gone");
        child.stdin.write(serializeMessage(message), (error) => (error ? reject(error) : resolve()));
      }),
    async close() {
      closed();
      if (child?.pid === undefined || hasExited) return;
      const exited = once(child, "exit");
      child.stdin.end();
      signalGroup(child.pid, "SIGTERM");
      const late = setTimeout(signalGroup, STOP_WITHIN_MS, child.pid, "SIGKILL");
      await exited;
      clearTimeout(late);
    },
  };
  return transport;
}

const spawnServer = ({ command, args, env, cwd }: StdioServer) =>
  spawn(command, args, {
    cwd,
    env: { ...getDefaultEnvironment(), ...env },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });

function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, signal);
  } catch {
    // The group is empty already.
  }
}
