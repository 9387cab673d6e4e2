/** What the API and the workers both read. Every field says unit, default and trade-off; `.env.example` repeats it. */
import { z } from "zod";
import { RedisTopologySchema } from "../redis/topology.ts";
import { SECOND } from "../time.ts";
import { intFromEnv } from "./read-config.ts";

export const CommonConfigSchema = z.object({
  /** Where Redis is: `redis://[user:password@]host:port[/db]`, or `rediss://` for TLS. */
  REDIS_URL: RedisTopologySchema,
  /** The first part of every key in Redis; lets several installations share one Redis. */
  REDIS_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,40}$/, "expected letters, digits, '-' and '_'")
    .default("ap"),
  /** The SQLite file: a path or a `file:` URL, on a local disk that the API and all workers share. */
  DATABASE_URL: z
    .string()
    .refine((url) => !/^(?!file:)[a-z]+:\/\//i.test(url), "expected the path or file: URL of an SQLite database")
    .default("file:./data/agent-paas.db"),
  /** Chroma's address, `http://host:port`; without it there is no vector store and health says so. */
  CHROMA_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Folder of the log files, one set per process; `off` writes none. */
  LOG_DIR: z.string().default("./logs"),
  /** The least level that is logged. `debug` adds several lines per job, none per token. */
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  /** The least level that is shown on the terminal (standard output), at or above `LOG_LEVEL`. */
  TERMINAL_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).optional(),
  /** How lines look on the terminal: `pretty` for people, `json` for collectors; default by whether it is a terminal. */
  TERMINAL_LOG_FORMAT: z.enum(["pretty", "json"]).optional(),
  /** The name of this process in logs and worker lists; one per process of a machine. */
  PROCESS_NAME: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,80}$/, "expected letters, digits, '.', '-' and '_'")
    .optional(),
  /** How long running work may go on after SIGTERM, ms. Longer means fewer jobs handed back, slower restarts. */
  SHUTDOWN_GRACE_MS: intFromEnv(0, 600 * SECOND, 20 * SECOND),
});
export type CommonConfig = z.infer<typeof CommonConfigSchema>;
