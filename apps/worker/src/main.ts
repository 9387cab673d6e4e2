/** The worker process: runs agents and is the only writer of the database. Any number of them may run. */
import { hostname } from "node:os";
import { pluginFault } from "@agent-paas/agents/registry/plugins.ts";
import { exitOnConfigError, readConfigOrExit } from "@agent-paas/shared/config/read-config.ts";
import { assertDatabasePlace } from "@agent-paas/shared/db/open-storage.ts";
import { makeFilesPrivate } from "@agent-paas/shared/files/private-files.ts";
import { runProcess } from "@agent-paas/shared/lifecycle/run-process.ts";
import { createProcessLogOrExit } from "@agent-paas/shared/logging/logger.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { readModelKeys, secretsOf, WorkerConfigSchema, withProxies } from "./config.ts";
import { hasAbortedRun } from "./run/run-control.ts";
import { startWorker } from "./start-worker.ts";

/** Beyond the grace for running jobs: requeueing, closing connections, flushing logs. */
const STOP_MARGIN_MS = 5 * SECOND;

makeFilesPrivate();
const read = readConfigOrExit(WorkerConfigSchema, withProxies(process.env));
const config = { ...read, modelKeys: exitOnConfigError(() => readModelKeys(read, process.env)) };
exitOnConfigError(() => assertDatabasePlace(config.DATABASE_URL));
const name = config.PROCESS_NAME ?? `worker-${hostname()}`;
const log = createProcessLogOrExit(config, name, secretsOf(config));

await runProcess({
  log,
  stopWithinMs: config.SHUTDOWN_GRACE_MS + STOP_MARGIN_MS,
  start: (releasers, fail) => startWorker(config, name, log.logger, releasers, fail),
  classifyFault(error, kind) {
    const fault = pluginFault(error);
    if (fault !== null) {
      log.logger.error({ plugin: fault.file, reason: fault.reason }, "a plugin caused an uncaught error");
      return "handled";
    }
    // An agent left a promise running when its run was stopped. Its job has ended, and the other jobs go on.
    return kind === "unhandledRejection" && hasAbortedRun(error) ? "harmless" : "fatal";
  },
});
