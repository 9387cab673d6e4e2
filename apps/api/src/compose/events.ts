/** What delivers events: the subscriber, the event log, the timing wheel and the responses that are open. */
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { ApiConfig } from "../config.ts";
import { createEventLog } from "../events/event-log.ts";
import { createJobEventSubscriber } from "../events/job-event-subscriber.ts";
import { createOpenResponses } from "../events/open-responses.ts";
import { createTimingWheel } from "../events/timing-wheel.ts";
import type { EventServices } from "../services.ts";
import type { RedisConnections } from "./redis.ts";

export function openEvents(config: ApiConfig, redis: RedisConnections, releasers: Releasers): EventServices {
  const wheel = createTimingWheel(config.SSE_HEARTBEAT_MS);
  releasers.add("wheel", () => wheel.stop());
  const subscriber = createJobEventSubscriber(redis.subscriber, redis.keys);
  // Followers that could not read the log while its connection was away read it when the connection is back.
  redis.logs.on("ready", subscriber.notifyGap);
  return { subscriber, log: createEventLog(redis.logs, redis.keys), wheel, openResponses: createOpenResponses() };
}
