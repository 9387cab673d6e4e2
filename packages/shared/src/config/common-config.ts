/**
 * The settings that the API and the workers share. Each comment states meaning, unit, default and trade-off, as
 * `.env.example` does.
 */
import { z } from "zod";
import { HOUR, SECOND } from "../time.ts";
import { databaseUrlProblem } from "./database-url.ts";
import { intFromEnv } from "./read-config.ts";
import { RedisTopologySchema } from "./redis-topology.ts";

export const CommonConfigSchema = z.object({
  /**
   * Redis: one server, Sentinels or a cluster; `redis-topology.ts` has the forms. Required. Run it with an append-only
   * file, so that jobs survive a restart, and with `maxmemory-policy noeviction`: a Redis that evicts keys is refused.
   */
  REDIS_URL: RedisTopologySchema,
  /**
   * The first part of every key in Redis. Default: `ap`. Give each installation its own prefix if several share one
   * Redis.
   */
  REDIS_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9_-]{1,40}$/, "expected letters, digits, '-' and '_'")
    .default("ap"),
  /**
   * The database: an SQLite file, as a path or a `file:` URL, or a PostgreSQL database, as
   * `postgres://user:password@host:port/database`, for TLS with `?sslmode=require`, `verify-ca` or `verify-full` and
   * `sslrootcert`, `sslcert`, `sslkey` (PEM files). Default: `./data/agent-paas.db`. A file must be on a local disk
   * that the API and all workers share, so several machines need PostgreSQL; on one machine SQLite costs less.
   * Parameters that ask for something else are refused by name. A process with another database than that of its Redis
   * refuses to start.
   */
  DATABASE_URL: z
    .string()
    .superRefine((url, { addIssue }) => {
      const problem = databaseUrlProblem(url);
      if (problem !== null) addIssue({ code: "custom", message: problem });
    })
    .default("file:./data/agent-paas.db"),
  /**
   * The most connections of one process to PostgreSQL. Default: 10. More of them write and read more at once; all
   * processes together must stay below `max_connections` of the server (100 by default). No meaning for SQLite.
   */
  DATABASE_POOL_SIZE: intFromEnv(2, 1_000, 10),
  /**
   * How long PostgreSQL may work on one statement, its waits for locks included, ms. Default: 30 s. What takes longer
   * is stopped by the server and tried again as long as work waits for the database. A shorter time frees connections
   * sooner, but stops large deletions. No meaning for SQLite, nor for migrations.
   */
  DATABASE_STATEMENT_TIMEOUT_MS: intFromEnv(100, HOUR, 30 * SECOND),
  /**
   * Chroma, as `http://host:port`. Default: none; then there is no vector store, and the health check reports that.
   */
  CHROMA_URL: z.url({ protocol: /^https?$/ }).optional(),
  /**
   * The token that Chroma, or a proxy in front of it, wants, sent as `Authorization: Bearer` and as `X-Chroma-Token`.
   * Default: none. The Chroma of `npm start` and of docker-compose.yml checks no token: it answers whoever reaches it.
   */
  CHROMA_TOKEN: z
    .string()
    .regex(/^[\x21-\x7e]+$/, "expected printable ASCII without spaces")
    .optional(),
  /**
   * How many collections one owner may have; a further one is refused with `knowledge_share_exceeded`. Default: 100.
   * With the local embedding the Chroma of `npm start` reserves about 80 MB for each.
   */
  MAX_COLLECTIONS_PER_OWNER: intFromEnv(1, 1_000_000, 100),
  /** How many documents one owner may have, over all collections. Default: 10,000. Each is one row. */
  MAX_DOCUMENTS_PER_OWNER: intFromEnv(1, 100_000_000, 10_000),
  /**
   * How many chunks the documents of one owner may have together. Default: 50,000, about 60 MB of text. With the local
   * embedding a chunk takes about 20 KB of Chroma's disk and 9 KB of its memory.
   */
  MAX_CHUNKS_PER_OWNER: intFromEnv(1, 1_000_000_000, 50_000),
  /**
   * The largest text of a document, bytes of UTF-8; also of the text in a file. Default: 1 MiB. Redis keeps a text
   * until a worker has stored it, so large ones cost memory there.
   */
  MAX_DOCUMENT_BYTES: intFromEnv(1_024, 16 * 1_024 * 1_024, 1_024 * 1_024),
  /**
   * The folder of the log files, one set per process (10 MB, 5 files). Default: `./logs`. `off` writes no files: for
   * platforms that collect standard output. Lines that the folder cannot take are dropped and counted.
   */
  LOG_DIR: z.string().default("./logs"),
  /**
   * The lowest level that is logged. Default: `info`, one line per request and per job. `debug` adds several lines per
   * job, but none per token.
   */
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
  /**
   * The lowest level on the terminal (standard output); a level below `LOG_LEVEL` has no effect. Default: `LOG_LEVEL`.
   */
  TERMINAL_LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).optional(),
  /**
   * The format of lines on the terminal: `pretty` for people, `json` for log collectors. Default: `pretty` on a
   * terminal, `json` elsewhere.
   */
  TERMINAL_LOG_FORMAT: z.enum(["pretty", "json"]).optional(),
  /**
   * The name of this process in logs and in the list of workers. Default: role and host name. Processes of the same
   * name have log files of their own all the same; a name of its own tells their lines apart without the pid.
   */
  PROCESS_NAME: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,80}$/, "expected letters, digits, '.', '-' and '_'")
    .optional(),
  /**
   * How long running work may continue after SIGTERM, ms. Default: 20 s. A longer time requeues fewer jobs but slows
   * restarts. Whatever stops the process must wait a few seconds longer before it kills: with the default, 30 s.
   */
  SHUTDOWN_GRACE_MS: intFromEnv(0, 600 * SECOND, 20 * SECOND),
});
export type CommonConfig = z.infer<typeof CommonConfigSchema>;

/** The headers of requests to Chroma; its versions and their proxies differ in which one they read. */
export const chromaHeaders = ({ CHROMA_TOKEN: token }: Pick<CommonConfig, "CHROMA_TOKEN">): Record<string, string> =>
  token === undefined ? {} : { authorization: `Bearer ${token}`, "x-chroma-token": token };
