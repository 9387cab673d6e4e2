/** One Redis for all test files; each platform has its own prefix in it. */
import type { TestProject } from "vitest/node";
import { startTestRedis } from "./redis.ts";

declare module "vitest" {
  interface ProvidedContext {
    redisUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await startTestRedis();
  project.provide("redisUrl", redis.url);
  return () => redis.stop();
}
