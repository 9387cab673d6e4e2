/** The HTTP server: where it listens, and how it stops. */
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Express } from "express";
import type { ApiConfig } from "../config.ts";
import { platformDoor } from "../doors/platform/index.ts";
import { createHttpServer } from "../http/server.ts";
import type { EventServices } from "../services.ts";

/** Returns the URL that it listens at. */
export async function openServer(
  config: ApiConfig,
  { app, events }: { readonly app: Express; readonly events: Pick<EventServices, "openResponses"> },
  releasers: Releasers,
): Promise<string> {
  const server = createHttpServer(app, platformDoor.formatError);
  const url = await server.listen(config.HOST, config.PORT);
  releasers.add("server", () => server.stop(events.openResponses, config.SHUTDOWN_GRACE_MS));
  return url;
}
