/**
 * Which entry file, flags and variables start the API, a worker and the local model server: stated once for `npm
 * start`, the tests, the chaos runs and the benchmark. Each of them decides for itself how many processes it starts,
 * with which settings, and how it restarts and stops them.
 */
import { join, resolve } from "node:path";
import { compileCacheEnv } from "@agent-paas/shared/lifecycle/compile-cache.ts";
import type { ChildSpec } from "../services/child.ts";
import { LOOPBACK } from "../services/ports.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

export type NodeProcess = {
  readonly name: string;
  /** Entry file, as a path below the root of the repository. */
  readonly main: string;
  /** Flags of Node itself; default: none. */
  readonly flags?: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Receives every line that the process prints. */
  readonly onLine?: (line: string) => void;
};

/** What a caller decides about one of the platform's processes. */
type Settings = Omit<NodeProcess, "main">;

/** `apiKeys` is the value of API_KEYS; see `apiKeysEntry`. */
export function apiProcess({ port, apiKeys, ...settings }: Settings & { port: number; apiKeys: string }): NodeProcess {
  const env = { ...settings.env, PORT: String(port), API_KEYS: apiKeys, PROCESS_NAME: settings.name };
  return { ...settings, main: "apps/api/src/main.ts", env };
}

export function workerProcess(settings: Settings): NodeProcess {
  return { ...settings, main: "apps/worker/src/main.ts", env: { ...settings.env, PROCESS_NAME: settings.name } };
}

/** @param host the address on which it listens; default: loopback. */
export function modelProcess({
  port,
  host = LOOPBACK,
  ...settings
}: Settings & { port: number; host?: string }): NodeProcess {
  const env = { ...settings.env, HOST: host, MODEL_PORT: String(port) };
  return { ...settings, main: "scripts/model-server/main.ts", env };
}

export const loopbackOrigin = (port: number): string => `http://${LOOPBACK}:${port}`;

/** A worker's variables for the local model server, which accepts every key. */
export const localModelEnv = (modelOrigin: string, apiKey: string): NodeJS.ProcessEnv => ({
  OPENAI_BASE_URL: `${modelOrigin}/v1`,
  OPENAI_API_KEY: apiKey,
  LLM_MODEL: "local-model",
});

/** Every process of the repository reports over IPC that it is ready. */
export function nodeSpec({ name, main, flags = [], env, onLine }: NodeProcess): ChildSpec {
  return {
    name,
    command: process.execPath,
    args: [...flags, join(ROOT, main)],
    env: { ...compileCacheEnv(), ...env },
    ready: "message",
    ...(onLine && { onLine }),
  };
}
