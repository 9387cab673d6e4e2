/** Runs the load generator as a child process: one load at a time, each with a time limit. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import type { ChatFindings, ChatLoad, Findings, GeneratorMessage, Load, PostFindings, PostLoad } from "./load.ts";

/** Allowed beyond the duration that follows from the model's rate. */
const SLOWER_BY_AT_MOST_MS = 3 * MINUTE;

/** See `ChatPhases`. */
export type OnPhase = (phase: "steady" | "ending", tokens: number) => void;

export type LoadClient = {
  readonly pid: number;
  chats(load: Omit<ChatLoad, "kind">, onPhase?: OnPhase): Promise<ChatFindings>;
  posts(load: Omit<PostLoad, "kind">): Promise<PostFindings>;
  stop(): void;
};

export async function startLoadClient(): Promise<LoadClient> {
  const child = fork(join(import.meta.dirname, "generator.ts"), { execArgv: [], detached: true });
  await once(child, "message");

  function run(load: Load, plannedMs: number, onPhase: OnPhase): Promise<Findings> {
    return new Promise((resolve, reject) => {
      const withinMs = plannedMs + SLOWER_BY_AT_MOST_MS;
      const overdue = setTimeout(
        () => settle(() => reject(new Error(`a load did not end in ${withinMs} ms`))),
        withinMs,
      );
      const onExit = () => settle(() => reject(new Error("the load generator ended")));
      const onMessage = (message: GeneratorMessage) => {
        if (message.kind === "findings") settle(() => resolve(message.findings));
        else onPhase(message.kind, message.tokens);
      };
      const settle = (how: () => void) => {
        clearTimeout(overdue);
        child.off("message", onMessage).off("exit", onExit);
        how();
      };
      child.on("message", onMessage).on("exit", onExit);
      child.send(load);
    });
  }

  return {
    pid: child.pid ?? 0,
    chats(load, onPhase = () => {}) {
      const { chatsPerClient, tokens, rate, rampMs, silentMs = 0 } = load;
      const streamMs = rate === null ? 0 : (tokens * SECOND) / rate;
      const plannedMs = rampMs + chatsPerClient * (silentMs + streamMs);
      return run({ kind: "chats", ...load }, plannedMs, onPhase) as Promise<ChatFindings>;
    },
    posts: (load) => run({ kind: "posts", ...load }, 0, () => {}) as Promise<PostFindings>,
    stop() {
      if (child.connected) child.disconnect();
    },
  };
}
