/** The worker's settings. Every field says unit, default and trade-off; `.env.example` repeats it. */
import { parseAllowedHosts } from "@agent-paas/agents/tools/http-fetch/allowed-hosts.ts";
import { McpServersSchema } from "@agent-paas/agents/tools/mcp/mcp-config.ts";
import { CommonConfigSchema } from "@agent-paas/shared/config/common-config.ts";
import { intFromEnv, listFromEnv } from "@agent-paas/shared/config/read-config.ts";
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
  /** How providers are told of a `response_schema` beside the words in the prompt: `json_schema` where they know it. */
  LLM_RESPONSE_FORMAT: z.enum(["none", "json_object", "json_schema"]).default("none"),
  /** The provider's model for embeddings; without one a local embedding of hashed words serves, which needs no model. */
  EMBEDDING_MODEL: z.string().min(1).optional(),
  /** The provider of embeddings, where it is another; default: `OPENAI_BASE_URL`. */
  EMBEDDING_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Its key; default: `OPENAI_API_KEY`. */
  EMBEDDING_API_KEY: z.string().min(1).optional(),
  /** Hosts that the tool `http_fetch` may ask, comma-separated: `example.com`, `*.example.com`, `*`; none: it is off. */
  HTTP_FETCH_ALLOWED_HOSTS: listFromEnv.superRefine((entries, context) => {
    try {
      parseAllowedHosts(entries);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
    }
  }),
  /** MCP servers whose tools agents can call, as JSON: `{"name": {"command", "args", "env"} or {"url", "headers"}}`. */
  MCP_SERVERS: McpServersSchema.optional(),
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
  /** How long ended jobs outside any session stay in the database, days; 0: for ever. Longer than Idempotency-Keys live. */
  JOB_RETENTION_DAYS: intFromEnv(0, 3_650, 30),
  /** How long sessions that nobody uses stay, with their messages and jobs, days; 0: for ever. */
  SESSION_RETENTION_DAYS: intFromEnv(0, 3_650, 0),
  /** How often what is too old is dropped, s. The same for all workers. */
  RETENTION_INTERVAL_SECONDS: intFromEnv(1, DAY / SECOND, (10 * MINUTE) / SECOND),
  /** A folder of modules that register agents of your own; none by default. */
  AGENTS_DIR: z.string().optional(),
});
export type WorkerConfig = z.infer<typeof WorkerConfigSchema>;

/** What the settings hold that no log may show. */
export const secretsOf = ({ OPENAI_API_KEY, EMBEDDING_API_KEY, MCP_SERVERS }: WorkerConfig): string[] => [
  OPENAI_API_KEY,
  ...(EMBEDDING_API_KEY === undefined ? [] : [EMBEDDING_API_KEY]),
  ...Object.values(MCP_SERVERS ?? {}).flatMap((server) => Object.values("url" in server ? server.headers : server.env)),
];
