/** One Redis for all test files of a project; each platform has its own prefix in it. */
import type { TestProject } from "vitest/node";
import { startTestRedis } from "./redis.ts";

declare module "vitest" {
  interface ProvidedContext {
    redisUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await startTestRedis(project.config.env?.TEST_REDIS ?? process.env.TEST_REDIS);
  project.provide("redisUrl", redis.url);
  return () => redis.stop();
}
