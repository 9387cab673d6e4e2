/** A check for containers: exits with 0 while this container's API can accept jobs, else with 1. */
import { readConfigOrExit } from "@agent-paas/shared/config/read-config.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { ApiConfigSchema } from "./config.ts";

const { PORT } = readConfigOrExit(ApiConfigSchema, process.env);

try {
  const answer = await fetch(`http://127.0.0.1:${PORT}/api/v1/readyz`, { signal: AbortSignal.timeout(3 * SECOND) });
  process.exit(answer.ok ? 0 : 1);
} catch {
  process.exit(1);
}
