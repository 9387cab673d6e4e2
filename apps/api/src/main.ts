/** The API process: authenticates, validates, enqueues, streams events, reads. Any number of API processes may run. */
import { hostname } from "node:os";
import { readConfigOrExit } from "@agent-paas/shared/config/read-config.ts";
import { makeFilesPrivate } from "@agent-paas/shared/files/private-files.ts";
import { runProcess } from "@agent-paas/shared/lifecycle/run-process.ts";
import { createProcessLogOrExit } from "@agent-paas/shared/logging/logger.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { ApiConfigSchema } from "./config.ts";
import { startApi } from "./start-api.ts";

/** Time after the grace for open requests, to close connections and flush logs. */
const STOP_MARGIN_MS = 3 * SECOND;

makeFilesPrivate();
const config = readConfigOrExit(ApiConfigSchema, process.env);
const name = config.PROCESS_NAME ?? `api-${hostname()}`;
const log = createProcessLogOrExit(config, name, []);

await runProcess({
  log,
  stopWithinMs: config.SHUTDOWN_GRACE_MS + STOP_MARGIN_MS,
  start: (releasers) => startApi(config, name, log.logger, releasers),
});
