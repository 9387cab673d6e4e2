/**
 * One Redis for all test files of a project, and one PostgreSQL once a test asks; each platform has its own part of
 * both.
 */
import type { TestProject } from "vitest/node";
import { offerPostgres } from "./postgres-offer.ts";
import { startTestRedis } from "./redis.ts";

declare module "vitest" {
  interface ProvidedContext {
    redisUrl: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const redis = await startTestRedis(project.config.env?.TEST_REDIS ?? process.env.TEST_REDIS);
  project.provide("redisUrl", redis.url);
  const offer = await offerPostgres();
  project.provide("postgresOffer", offer.url);
  return async () => {
    await offer.stop();
    await redis.stop();
  };
}
