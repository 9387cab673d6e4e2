/** The check that containers run: true for a worker whose heartbeat the API would count, false for any other. */
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

async function check(processName: string, redisUrl: string): Promise<number> {
  const env = {
    PATH: process.env.PATH,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: /\{(.*)\}/.exec(platform.keys.bullmq)?.[1],
    PROCESS_NAME: processName,
    OPENAI_API_KEY: "k",
  };
  const child = spawn(process.execPath, [join(ROOT, "apps/worker/src/is-alive.ts")], { env });
  const [code] = await once(child, "exit");
  return code;
}

test("alive, unknown, and Redis away", async () => {
  expect(await check("worker-1", inject("redisUrl"))).toBe(0);
  expect(await check("worker-2", inject("redisUrl"))).toBe(1);
  expect(await check("worker-1", "redis://127.0.0.1:1")).toBe(1);
});
