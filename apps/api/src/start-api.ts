/** Starts the API: opens its services in the order in which they need each other. Each adds its release. */
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { createApp } from "./app.ts";
import { openEvents } from "./compose/events.ts";
import { openJobs } from "./compose/jobs.ts";
import { openRedis } from "./compose/redis.ts";
import { openServer } from "./compose/server.ts";
import { openReaders } from "./compose/storage.ts";
import type { ApiConfig } from "./config.ts";
import { createStreamShare } from "./events/stream-share.ts";
import { createAgentCatalog } from "./presence/agent-catalog.ts";
import { createPlatformMetrics } from "./presence/platform-metrics.ts";
import type { Services } from "./services.ts";

export async function startApi(config: ApiConfig, name: string, logger: Logger, releasers: Releasers): Promise<void> {
  const redis = await openRedis(config, { name, logger }, releasers);
  const storage = await openReaders(config, { redis, logger }, releasers);
  const agentCatalog = createAgentCatalog(redis.requests, redis.keys);
  const jobs = openJobs(config, { redis, storage, agentCatalog, logger }, releasers);
  const events = openEvents(config, { redis, logger }, releasers);
  // Workers would run the job and write it where this API does not read.
  const accept: Services["accept"] = async (request) => {
    storage.assertDatabaseUsable();
    return jobs.accept(request);
  };
  const metrics = createPlatformMetrics(redis.reads, redis.keys, redis.clock);
  const streamShare = createStreamShare(config.MAX_OPEN_STREAMS_PER_OWNER);
  const services: Services = {
    ...{ config, redis, clock: redis.clock, ...storage, ...jobs },
    ...{ accept, events, streamShare, agentCatalog, metrics },
  };
  const url = await openServer(config, { app: createApp(services, logger), events }, releasers);
  logger.info({ url }, "api ready");
}
