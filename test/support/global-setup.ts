/**
 * For all test files of a project: the OpenAPI document that answers are held against, one Redis, and one PostgreSQL
 * once a test asks. Each platform has its own part of both.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { DOORS } from "../../apps/api/src/app.ts";
import { describeApi } from "../../apps/api/src/doors/reference/describe-api.ts";
import { offerPostgres } from "./postgres-offer.ts";
import { startTestRedis } from "./redis.ts";

declare module "vitest" {
  interface ProvidedContext {
    openApiFile: string;
    redisUrl: string;
  }
}

async function writeOpenApi(): Promise<{ readonly file: string; delete(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-open-api-"));
  const file = join(dir, "openapi.json");
  await writeFile(file, JSON.stringify(describeApi(DOORS)));
  return { file, delete: () => rm(dir, { recursive: true }) };
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const openApi = await writeOpenApi();
  project.provide("openApiFile", openApi.file);
  const redis = await startTestRedis(project.config.env?.TEST_REDIS ?? process.env.TEST_REDIS);
  project.provide("redisUrl", redis.url);
  const offer = await offerPostgres();
  project.provide("postgresOffer", offer.url);
  return async () => {
    await offer.stop();
    await redis.stop();
    await openApi.delete();
  };
}
