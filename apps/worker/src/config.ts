/** The settings of the worker. Each comment states meaning, unit, default and trade-off, as `.env.example` does. */
import { type ModelKeys, ModelsConfigSchema } from "@agent-paas/agents/model/models-config.ts";
import { parseAllowedHosts } from "@agent-paas/agents/tools/http-fetch/allowed-hosts.ts";
import { McpServersSchema } from "@agent-paas/agents/tools/mcp/mcp-config.ts";
import { CommonConfigSchema } from "@agent-paas/shared/config/common-config.ts";
import { ConfigError, intFromEnv, listFromEnv } from "@agent-paas/shared/config/read-config.ts";
import { MAX_INQUIRY_TTL_SECONDS } from "@agent-paas/shared/contract/inquiries.ts";
import { DAY, HOUR, MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { z } from "zod";

/** Also `proxy:3128`, as other programs take it. */
const ProxySchema = z
  .string()
  .transform((text) => (text.includes("://") ? text : `http://${text}`))
  .pipe(z.url({ protocol: /^https?$/ }));

export const WorkerConfigSchema = CommonConfigSchema.extend({
  /** The base URL of the model provider; its API must be OpenAI-compatible. Default: OpenAI. */
  OPENAI_BASE_URL: z.url({ protocol: /^https?$/ }).default("https://api.openai.com/v1"),
  /** The provider's key. Required; for a server without keys, any text will do. */
  OPENAI_API_KEY: z.string().min(1, "expected the model provider's key (any text for a server without keys)"),
  /** The model for requests that name none. Default: `gpt-4o-mini`. */
  LLM_MODEL: z.string().min(1).default("gpt-4o-mini"),
  /**
   * Further models by names of your own, as JSON: `{"name": {"base_url", "api_key_env", "model", "owners",
   * "fallbacks", "limits", "options"}}`; `*` stands for all names that are not listed. Default: none. Requests choose
   * one by `config.model`. What a model leaves out has the value of the setting for all.
   */
  MODELS: ModelsConfigSchema.optional(),
  /** How long the provider's address may take to accept a connection, ms. Default: 10 s. */
  MODEL_CONNECT_TIMEOUT_MS: intFromEnv(10, MINUTE, 10 * SECOND),
  /**
   * How long the first token of a request may take, ms. Default: 60 s. Raise it for models that think for long without
   * streaming their reasoning.
   */
  MODEL_FIRST_TOKEN_TIMEOUT_MS: intFromEnv(10, HOUR, MINUTE),
  /**
   * How long the next token may take, ms. Default: 30 s. Keep-alive comments do not count as tokens. A shorter time
   * detects a hanging provider sooner, but aborts slow models.
   */
  MODEL_IDLE_TIMEOUT_MS: intFromEnv(10, HOUR, 30 * SECOND),
  /** How long one whole model turn may take, ms. Default: 5 min. Raise it for very long answers. */
  MODEL_TOTAL_TIMEOUT_MS: intFromEnv(10, DAY, 5 * MINUTE),
  /**
   * How a `response_schema` is sent to the provider, besides the prompt: `none`, `json_object` or `json_schema`.
   * Default: `none`, because providers that do not support the field refuse the request. Use `json_schema` where it is
   * supported.
   */
  LLM_RESPONSE_FORMAT: z.enum(["none", "json_object", "json_schema"]).default("none"),
  /**
   * The field in which the most tokens of an answer are sent: `max_tokens`, `max_completion_tokens` or `auto`. Default:
   * `auto`: a request that is refused for the one is sent again with the other, which costs one request per model.
   */
  LLM_MAX_TOKENS_FIELD: z.enum(["auto", "max_tokens", "max_completion_tokens"]).default("auto"),
  /**
   * Whether the provider is asked for the usage (`stream_options`): `on`, `off` or `auto`. Default: `auto`: yes, unless
   * it refuses. Without figures of the provider the platform counts tokens itself.
   */
  LLM_STREAM_USAGE: z.enum(["auto", "on", "off"]).default("auto"),
  /**
   * The role in which the system prompt is sent: `system`, `developer`, `user` (before the first user message) or
   * `auto`. Default: `auto`: `system`, and `user` for models that refuse it.
   */
  LLM_SYSTEM_ROLE: z.enum(["auto", "system", "developer", "user"]).default("auto"),
  /**
   * Whether a turn's reasoning goes back with its tool calls: `off`, in the field `reasoning_content` or `reasoning`,
   * in `<think>` tags (`think`), or `auto`. Default: `auto`: to providers that are known to want it, and to those that
   * ask for it; what a provider itself marks to be given back goes to it unless `off`. Set it for models on hosts of
   * your own; it costs input tokens.
   */
  LLM_RETURN_REASONING: z.enum(["auto", "off", "reasoning_content", "reasoning", "think"]).default("auto"),
  /**
   * The provider's embedding model. Default: none; then a local embedding hashes words, which needs no model but does
   * not find passages by meaning. Choose before storing documents: a collection accepts only the embedding it was
   * created with.
   */
  EMBEDDING_MODEL: z.string().min(1).optional(),
  /** The base URL of the embedding provider, if it is another one. Default: `OPENAI_BASE_URL`. */
  EMBEDDING_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** The key of the embedding provider. Default: `OPENAI_API_KEY`. */
  EMBEDDING_API_KEY: z.string().min(1).optional(),
  /**
   * Texts per request for embeddings. Default: 64. A provider that takes fewer is asked again with fewer, which is
   * remembered; set its limit to spare that. More texts per request need fewer requests.
   */
  EMBEDDING_BATCH_SIZE: intFromEnv(1, 2_048, 64),
  /**
   * The proxy of requests to `http:` addresses of model, embeddings, MCP servers and Chroma, as a URL; also in lower
   * case. Default: none. `http_fetch` has a setting of its own, `HTTP_FETCH_PROXY`.
   */
  HTTP_PROXY: ProxySchema.optional(),
  /** The same for `https:` addresses. Default: `HTTP_PROXY`. */
  HTTPS_PROXY: ProxySchema.optional(),
  /** Hosts that are reached directly, comma-separated: `host`, `host:port`, `.suffix` or `*`. Default: none. */
  NO_PROXY: z.string().optional(),
  /**
   * Whether searches go by terms too, `on` or `off`. Default: `on`: names, numbers and rare words are found that an
   * embedding blurs. New collections of a provider's embedding then have 2,048 more dimensions, for the terms, which
   * takes time to store and disk. With `off` passages are in the order of their vectors alone.
   */
  RETRIEVAL_HYBRID: z.enum(["on", "off"]).default("on"),
  /**
   * Hosts that the tool `http_fetch` may access, comma-separated: `example.com`, `example.com:8443`, `*.example.com`,
   * or `*` for all. Default: none, which turns the tool off. Only public addresses are reached, except a private IP
   * that is listed itself.
   */
  HTTP_FETCH_ALLOWED_HOSTS: listFromEnv.superRefine((entries, context) => {
    try {
      parseAllowedHosts(entries);
    } catch (error) {
      context.addIssue(error instanceof Error ? error.message : String(error));
    }
  }),
  /**
   * The proxy of `http_fetch`, as a URL. Default: none. The proxy connects, so which addresses a name leads to is its
   * matter; the worker still refuses private addresses, and names that it resolves to one.
   */
  HTTP_FETCH_PROXY: ProxySchema.optional(),
  /**
   * MCP servers whose tools agents can call, as JSON: `{"name": {"command", "args", "env"} or {"url", "headers"}}`,
   * with `scope`, `max_sessions` and `idle_seconds`. Default: none. Every worker starts the programs itself; with the
   * scope `session` one for each session, which keeps what is one session's from the others and costs a process each.
   */
  MCP_SERVERS: McpServersSchema.optional(),
  /**
   * How many chats this process runs at once. Default: 100. Chats mostly wait for the model, so one core carries
   * hundreds; but a crash of the process interrupts all of them. Start with 100; raise it while the CPU has time left.
   */
  WORKER_CHAT_CONCURRENCY: intFromEnv(1, 10_000, 100),
  /**
   * How many execute jobs this process runs at once. Default: 20. The same trade-off as for chats; execute jobs run
   * longer, so a crash loses more work.
   */
  WORKER_EXECUTE_CONCURRENCY: intFromEnv(1, 10_000, 20),
  /**
   * How many knowledge jobs (ingests, searches, deletions) this process runs at once. Default: 10. They have slots of
   * their own, so they never wait for agents. More of them use the CPU and the vector store at the same time.
   */
  WORKER_KNOWLEDGE_CONCURRENCY: intFromEnv(1, 10_000, 10),
  /**
   * The most pages of a PDF. Default: 2,000. A page takes some milliseconds to read, in a thread beside the worker's.
   */
  MAX_DOCUMENT_PAGES: intFromEnv(1, 100_000, 2_000),
  /**
   * How long reading the text of one file may take, ms. Default: 30 s. A file that takes longer is refused, because the
   * files of others wait for it meanwhile.
   */
  DOCUMENT_READ_TIMEOUT_MS: intFromEnv(100, HOUR, 30 * SECOND),
  /**
   * Slots that this process keeps beside those of the three settings above, for other owners than the one who fills
   * them, % of each, rounded up. Default: 25: with 100 chats at once, one owner alone gets 100 slots, several together
   * get 125. Fewer save memory while many owners are busy; with 0, the long jobs of one owner can occupy everything.
   */
  WORKER_RESERVED_PERCENT: intFromEnv(0, 1_000, 25),
  /** The time limit of one attempt of a chat, ms. Default: 5 min. */
  CHAT_DEADLINE_MS: intFromEnv(100, DAY, 5 * MINUTE),
  /** The time limit of one attempt of an execute job, ms. Default: 1 h. */
  EXECUTE_DEADLINE_MS: intFromEnv(100, DAY, HOUR),
  /**
   * How long a job waits for the decision of a person, s; then it counts as rejected. Default: 24 h. No worker has the
   * job meanwhile, but its session waits for it.
   */
  DECISION_TTL_SECONDS: intFromEnv(1, MAX_INQUIRY_TTL_SECONDS, DAY / SECOND),
  /**
   * How many jobs of one owner may wait for people; a further one fails with `suspended_jobs_limit`. Default: 10,000.
   * Each keeps a few rows, and its entry in Redis.
   */
  MAX_SUSPENDED_JOBS_PER_OWNER: intFromEnv(1, 1_000_000, 10_000),
  /**
   * How long work waits while the database cannot be written (its disk is full or fails, or another process holds its
   * lock), ms. Default: 2 min. After that, the jobs that wait end with `storage_unavailable` as soon as the database is
   * back. A longer time saves more jobs, and clients wait longer for the others.
   */
  STORAGE_OUTAGE_MS: intFromEnv(100, HOUR, 2 * MINUTE),
  /**
   * How long Redis keeps the event log of an ended job, s. Default: 1 h. After that, the job's stream is replayed from
   * the database, as one text. The logs take most of Redis' memory: under heavy load, start with 300.
   */
  EVENT_LOG_TTL_SECONDS: intFromEnv(1, 7 * (DAY / SECOND), HOUR / SECOND),
  /**
   * How long ended jobs outside any session stay in the database, and responses of OpenAI's API outside conversations,
   * days. Default: 30; 0: forever. Keep it longer than `IDEMPOTENCY_TTL_SECONDS`: a repeated request whose job was
   * deleted runs again.
   */
  JOB_RETENTION_DAYS: intFromEnv(0, 3_650, 30),
  /**
   * How long unused sessions stay, with their messages and jobs, days. Default: 0, forever: the database then grows
   * with every conversation.
   */
  SESSION_RETENTION_DAYS: intFromEnv(0, 3_650, 0),
  /**
   * The interval at which expired data is deleted, s. Default: 10 min. Set the same value for all workers: they share
   * one schedule.
   */
  RETENTION_INTERVAL_SECONDS: intFromEnv(1, DAY / SECOND, (10 * MINUTE) / SECOND),
  /** A folder of modules that register your own agents. Default: none. */
  AGENTS_DIR: z.string().optional(),
  /**
   * Whether a worker refuses to start when one of these modules cannot be loaded: `on` or `off`. Default: `off`: it
   * starts without the module's agents, and logs why. `on` makes a rollout with a broken agent stop early.
   */
  AGENTS_STRICT: z.enum(["on", "off"]).default("off"),
});
export type WorkerConfig = z.infer<typeof WorkerConfigSchema>;
export type WorkerSettings = WorkerConfig & { readonly modelKeys: ModelKeys };

/** Throws a `ConfigError` that names every variable which `MODELS` names and which is not set. */
export function readModelKeys({ MODELS = {} }: WorkerConfig, env: NodeJS.ProcessEnv): ModelKeys {
  const named = Object.entries(MODELS).flatMap(([name, { api_key_env }]) =>
    api_key_env === undefined ? [] : [{ name, variable: api_key_env, key: env[api_key_env] }],
  );
  const missing = named.filter(({ key }) => !key);
  if (missing.length > 0) {
    throw new ConfigError(missing.map(({ name, variable }) => `MODELS.${name}: the variable ${variable} is not set`));
  }
  return Object.fromEntries(named.map(({ name, key = "" }) => [name, key]));
}

/** The environment with the settings of the proxies that are in lower case, which win as in other programs. */
export function withProxies(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
  return { ...env, ...Object.fromEntries(names.map((name) => [name, env[name.toLowerCase()] || env[name]])) };
}

/** The form of requests to the model that is set, and not left to the provider's refusals. */
export function formOf(config: WorkerConfig) {
  const { LLM_MAX_TOKENS_FIELD, LLM_STREAM_USAGE, LLM_SYSTEM_ROLE, LLM_RETURN_REASONING } = config;
  return {
    ...(LLM_MAX_TOKENS_FIELD === "auto" ? {} : { maxTokensField: LLM_MAX_TOKENS_FIELD }),
    ...(LLM_STREAM_USAGE === "auto" ? {} : { streamUsage: LLM_STREAM_USAGE === "on" }),
    ...(LLM_SYSTEM_ROLE === "auto" ? {} : { systemRole: LLM_SYSTEM_ROLE }),
    ...(LLM_RETURN_REASONING === "auto" ? {} : { returnReasoning: LLM_RETURN_REASONING }),
  };
}

/** The slots of each queue: those that one owner alone may use, and all, with the reserved ones. */
export function slotsOf(config: WorkerConfig) {
  const withReserve = (own: number) => ({ own, all: own + Math.ceil((own * config.WORKER_RESERVED_PERCENT) / 100) });
  return {
    chat: withReserve(config.WORKER_CHAT_CONCURRENCY),
    execute: withReserve(config.WORKER_EXECUTE_CONCURRENCY),
    knowledge: withReserve(config.WORKER_KNOWLEDGE_CONCURRENCY),
  };
}

/** The values of the settings that no log may contain. */
export const secretsOf = ({ OPENAI_API_KEY, EMBEDDING_API_KEY, MCP_SERVERS, modelKeys }: WorkerSettings): string[] => [
  OPENAI_API_KEY,
  ...Object.values(modelKeys),
  ...(EMBEDDING_API_KEY === undefined ? [] : [EMBEDDING_API_KEY]),
  ...Object.values(MCP_SERVERS ?? {}).flatMap((server) => Object.values("url" in server ? server.headers : server.env)),
];
