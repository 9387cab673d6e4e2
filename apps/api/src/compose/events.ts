/** What delivers events: the subscriber, the event log, the timing wheel and the responses that are open. */
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { connectionsOf } from "@agent-paas/shared/redis/connect.ts";
import type { ApiConfig } from "../config.ts";
import { createEventLog } from "../events/event-log.ts";
import { createJobEventSubscriber } from "../events/job-event-subscriber.ts";
import { createOpenResponses } from "../events/open-responses.ts";
import { createSendWindows } from "../events/send-windows.ts";
import { createTimingWheel } from "../events/timing-wheel.ts";
import type { EventServices } from "../services.ts";
import type { RedisConnections } from "./redis.ts";

export function openEvents(
  config: ApiConfig,
  { redis, logger }: { readonly redis: RedisConnections; readonly logger: Logger },
  releasers: Releasers,
): EventServices {
  const wheel = createTimingWheel(config.SSE_HEARTBEAT_MS);
  releasers.add("wheel", () => wheel.stop());
  const subscriber = createJobEventSubscriber(redis.subscriber, redis.keys);
  // Followers that could not read the log while its connection was away read it when the connection is back.
  for (const connection of connectionsOf(redis.logs)) connection.on("ready", subscriber.notifyGap);
  const sendWindows = createSendWindows(config.SSE_UNREAD_BYTES, logger);
  releasers.add("send windows", () => sendWindows.stop());
  const log = createEventLog(redis.logs, redis.keys);
  return { subscriber, log, wheel, openResponses: createOpenResponses(), sendWindows };
}
