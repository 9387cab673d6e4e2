/** The API's settings. The comment of a field states its unit and trade-off; `.env.example` repeats it. */
import { CommonConfigSchema } from "@agent-paas/shared/config/common-config.ts";
import { intFromEnv, listFromEnv } from "@agent-paas/shared/config/read-config.ts";
import { HOUR, SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";

const ApiKeysSchema = z
  .string({ error: "expected name:sha256-of-key pairs, comma-separated" })
  .transform((text, context) => {
    const keys = text.split(",").map((pair) => {
      const [name = "", sha256 = "", ...rest] = pair.trim().split(":");
      if (!/^[a-zA-Z0-9_.-]{1,64}$/.test(name) || !/^[0-9a-f]{64}$/i.test(sha256) || rest.length > 0) {
        context.addIssue("expected name:sha256-of-key pairs, comma-separated; the hash as 64 hex digits");
      }
      return { name, sha256: sha256.toLowerCase() };
    });
    return keys;
  });

export const ApiConfigSchema = CommonConfigSchema.extend({
  /** The address to listen on. */
  HOST: z.string().default("127.0.0.1"),
  /** The port to listen on; 0 takes any free port. */
  PORT: intFromEnv(0, 65_535, 8_000),
  /** The API keys: `name:sha256-of-key`, comma-separated. The name owns what its key makes; keys may share a name. */
  API_KEYS: ApiKeysSchema,
  /** Origins whose web pages may call, comma-separated (`https://app.example.com`), or `*`; none by default. */
  CORS_ORIGINS: listFromEnv,
  /** How many proxies in front of the API are trusted to report the client's address; 0 trusts none. */
  TRUSTED_PROXIES: intFromEnv(0, 10, 0),
  /** The largest request body, bytes. Job payloads live in Redis, so large bodies cost memory there. */
  MAX_BODY_BYTES: intFromEnv(1_024, 16 * 1_024 * 1_024, 256 * 1_024),
  /** The largest document that the knowledge routes take, bytes. Redis holds it until a worker has stored it. */
  MAX_DOCUMENT_BYTES: intFromEnv(1_024, 16 * 1_024 * 1_024, 1_024 * 1_024),
  /** How long `stream: false` holds a request open before it answers 202 with the job's links, ms. */
  JSON_WAIT_MS: intFromEnv(SECOND, HOUR, 330 * SECOND),
  /** Time between two comment lines that keep an idle SSE connection open, ms. */
  SSE_HEARTBEAT_MS: intFromEnv(100, 60 * SECOND, 15 * SECOND),
  /** How long a client that stopped reading keeps its connection, ms; it can resume later. */
  SSE_STALLED_CLIENT_MS: intFromEnv(100, 600 * SECOND, 30 * SECOND),
  /**
   * How many jobs may wait in one queue; further jobs are refused as `queue_full`. A higher limit costs memory in Redis
   * and lets jobs wait longer. Requests that arrive at the same time may exceed it by their number.
   */
  MAX_QUEUED_JOBS: intFromEnv(1, 1_000_000, 10_000),
  /** How long an Idempotency-Key is remembered, s. */
  IDEMPOTENCY_TTL_SECONDS: intFromEnv(60, 7 * 86_400, 86_400),
});
export type ApiConfig = z.infer<typeof ApiConfigSchema>;
