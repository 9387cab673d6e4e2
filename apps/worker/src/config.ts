/** The worker's settings. Every field says unit, default and trade-off; `.env.example` repeats it. */
import { CommonConfigSchema } from "@agent-paas/shared/config/common-config.ts";
import { intFromEnv } from "@agent-paas/shared/config/read-config.ts";
import { DAY, HOUR, MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";

export const WorkerConfigSchema = CommonConfigSchema.extend({
  /** The model provider's OpenAI-compatible base URL. */
  OPENAI_BASE_URL: z.url({ protocol: /^https?$/ }).default("https://api.openai.com/v1"),
  /** The provider's key. */
  OPENAI_API_KEY: z.string().min(1, "expected the model provider's key (any text for a server without keys)"),
  /** The model that agents use when a request names none. */
  LLM_MODEL: z.string().min(1).default("gpt-4o-mini"),
  /** Until the provider's address accepts a connection, ms. */
  MODEL_CONNECT_TIMEOUT_MS: intFromEnv(10, MINUTE, 10 * SECOND),
  /** From a request to its first token, ms. Raise it for models that think long without streaming their reasoning. */
  MODEL_FIRST_TOKEN_TIMEOUT_MS: intFromEnv(10, HOUR, MINUTE),
  /** Between two tokens, ms. */
  MODEL_IDLE_TIMEOUT_MS: intFromEnv(10, HOUR, 30 * SECOND),
  /** For one whole answer, ms. */
  MODEL_TOTAL_TIMEOUT_MS: intFromEnv(10, DAY, 5 * MINUTE),
  /** Chats that this process runs at once. They wait for the model most of the time; a crash delays as many. */
  WORKER_CHAT_CONCURRENCY: intFromEnv(1, 10_000, 100),
  /** Execute jobs that this process runs at once. */
  WORKER_EXECUTE_CONCURRENCY: intFromEnv(1, 10_000, 20),
  /** Time limit of one attempt of a chat, ms. */
  CHAT_DEADLINE_MS: intFromEnv(100, DAY, 5 * MINUTE),
  /** Time limit of one attempt of an execute job, ms. */
  EXECUTE_DEADLINE_MS: intFromEnv(100, DAY, HOUR),
  /** How long the event log of an ended job is kept in Redis, s; afterwards streams are answered from the database. */
  EVENT_LOG_TTL_SECONDS: intFromEnv(1, 7 * (DAY / SECOND), HOUR / SECOND),
  /** A folder of modules that register agents of your own; none by default. */
  AGENTS_DIR: z.string().optional(),
});
export type WorkerConfig = z.infer<typeof WorkerConfigSchema>;
