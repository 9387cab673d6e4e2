/**
 * The checks that containers run: they succeed for a worker with a fresh heartbeat and for an API that can accept jobs.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { ROOT } from "../support/sources.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

async function check(file: string, own: NodeJS.ProcessEnv): Promise<number> {
  const env = { PATH: process.env.PATH, REDIS_URL: inject("redisUrl"), ...own };
  const [code] = await once(spawn(process.execPath, [join(ROOT, file)], { env }), "exit");
  return code;
}

const isAlive = (name: string, own: NodeJS.ProcessEnv = {}) =>
  check("apps/worker/src/is-alive.ts", {
    REDIS_PREFIX: /\{(.*)\}/.exec(platform.keys.bullmq)?.[1],
    PROCESS_NAME: name,
    OPENAI_API_KEY: "k",
    ...own,
  });

const isReady = (port: string) => check("apps/api/src/is-ready.ts", { PORT: port, API_KEYS: `web:${"0".repeat(64)}` });

test("the worker check succeeds for a live worker, and fails for an unknown one and without Redis", async () => {
  expect(await isAlive("worker-1")).toBe(0);
  expect(await isAlive("worker-2")).toBe(1);
  expect(await isAlive("worker-1", { REDIS_URL: "redis://127.0.0.1:1" })).toBe(1);
});

test("the API check succeeds for a ready API, and fails where no API listens", async () => {
  expect(await isReady(new URL(platform.alice.origin).port)).toBe(0);
  expect(await isReady("1")).toBe(1);
});
