/** The health check of a container: exits with 0 while the API in this container can accept jobs, else with 1. */
import { readConfigOrExit } from "@agent-paas/shared/config/read-config.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { ApiConfigSchema } from "./config.ts";
import { BASE_PATH } from "./doors/platform/base-path.ts";

const { PORT } = readConfigOrExit(ApiConfigSchema, process.env);

try {
  const url = `http://127.0.0.1:${PORT}${BASE_PATH}/readyz`;
  const response = await fetch(url, { signal: AbortSignal.timeout(3 * SECOND) });
  process.exit(response.ok ? 0 : 1);
} catch {
  process.exit(1);
}
