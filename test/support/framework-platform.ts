/** A platform with the example of a framework, the agents of test/fixtures/frameworks beside it, and a slow service. */
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { frameworkExample } from "./framework-example.ts";
import { type LoopbackServer, startLoopbackServer } from "./loopback-server.ts";
import { startTestPlatform, type TestPlatform } from "./platform.ts";
import { ROOT } from "./sources.ts";
import { waitFor } from "./wait-for.ts";

export type FrameworkPlatform = {
  /** The id of the example's or the fixture's agent: `agent("desk")` is `ai_sdk_desk`. */
  agent(role: string): string;
  readonly platform: TestPlatform;
  /** With which further platforms have the same agents. */
  readonly env: NodeJS.ProcessEnv;
  /** The folder of the agents. */
  readonly folder: string;
  /** For files of the test. */
  readonly dir: string;
  /** The lines that tools have written, sorted. */
  written(): Promise<string[]>;
  /** The requests of the tool `note` on this subject so far, once there is one. They wait for their answers. */
  notesOn(subject: string): Promise<readonly ServerResponse[]>;
  /** Kills the worker and starts another one. */
  replaceWorker(): Promise<void>;
};

const INSTALLED_WITHIN_MS = 240_000;

export function useFramework(name: string): FrameworkPlatform {
  let platform: TestPlatform;
  let notes: LoopbackServer;
  let dir: string;
  let folder: string;
  let env: NodeJS.ProcessEnv;
  const removals: (() => Promise<void>)[] = [];
  const asked = new Map<string, ServerResponse[]>();

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "agent-paas-framework-"));
    folder = await frameworkExample(name, (remove) => removals.push(remove));
    await cp(join(ROOT, "test/fixtures/frameworks", name), folder, { recursive: true });
    notes = await startLoopbackServer((subject, response) => {
      asked.set(subject, [...(asked.get(subject) ?? []), response]);
    });
    const written = { RESERVATIONS_FILE: join(dir, "reservations"), NOTES_URL: notes.origin };
    env = { AGENTS_DIR: folder, AGENTS_STRICT: "on", ...written };
    platform = await startTestPlatform({ env, readyWithinMs: 60_000 });
  }, INSTALLED_WITHIN_MS);
  afterAll(async () => {
    await platform?.stop();
    await notes?.close();
    for (const remove of removals) await remove();
    await rm(dir, { recursive: true });
  });

  return {
    agent: (role) => `${name.replaceAll("-", "_")}_${role}`,
    get platform() {
      return platform;
    },
    get env() {
      return env;
    },
    get folder() {
      return folder;
    },
    get dir() {
      return dir;
    },
    async written() {
      const text = await readFile(join(dir, "reservations"), "utf8").catch(() => "");
      return text.split("\n").filter(Boolean).sort();
    },
    notesOn: (subject) => waitFor(`a note on ${subject}`, async () => asked.get(subject) ?? false),
    async replaceWorker() {
      await platform.workers.at(-1)?.kill();
      await platform.startWorker();
    },
  };
}
