/** The API's settings. Each says what, unit, default and trade-off; `.env.example` repeats it. */
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
  /**
   * The address to listen on. Default: this machine only. `0.0.0.0` opens the API to the network: put TLS in front of
   * it.
   */
  HOST: z.string().default("127.0.0.1"),
  /** The port to listen on. Default: 8000. 0 takes any free port. */
  PORT: intFromEnv(0, 65_535, 8_000),
  /**
   * The callers: `name:sha256-of-key`, comma-separated. Required. The name owns everything that its key creates. Two
   * keys may share a name, so a key can be rotated without losing access.
   */
  API_KEYS: ApiKeysSchema,
  /** Origins whose web pages may call the API, comma-separated (`https://app.example.com`), or `*`. Default: none. */
  CORS_ORIGINS: listFromEnv,
  /**
   * How many proxies in front of the API are trusted to report the client's address (`X-Forwarded-For`). Default: 0.
   * Set it to the number of proxies that you run: with a higher number, clients can forge their address.
   */
  TRUSTED_PROXIES: intFromEnv(0, 10, 0),
  /**
   * The largest request body, bytes. Default: 256 KiB. Job payloads are kept in Redis, so large bodies cost memory
   * there.
   */
  MAX_BODY_BYTES: intFromEnv(1_024, 16 * 1_024 * 1_024, 256 * 1_024),
  /**
   * The largest parts of a message or task together (images, files), as JSON, bytes; beside `MAX_BODY_BYTES`. Default:
   * 8 MiB, an image of 6 MB in base64. They are kept in Redis until the job ends, and in the database with the session.
   */
  MAX_PARTS_BYTES: intFromEnv(1_024, 64 * 1_024 * 1_024, 8 * 1_024 * 1_024),
  /** The most parts of a message or task. Default: 20. */
  MAX_MESSAGE_PARTS: intFromEnv(1, 1_000, 20),
  /**
   * The largest file of a document that a worker reads its text from (PDF, DOCX, HTML), bytes. Default: 16 MiB. Redis
   * keeps the file until then, and reading takes a multiple of its size.
   */
  MAX_FILE_BYTES: intFromEnv(1_024, 128 * 1_024 * 1_024, 16 * 1_024 * 1_024),
  /**
   * How long a JSON response is held back for a job's end, ms: `stream: false` returns 202 with the job's links then,
   * `wait=` the job as it is. Default: 50 s, below the 60 s after which proxies usually close a silent response. Lower
   * it for a proxy that closes earlier. Without a proxy, a longer time saves clients of long chats a second request.
   */
  JSON_WAIT_MS: intFromEnv(SECOND, HOUR, 50 * SECOND),
  /**
   * The interval of the comment lines that keep an idle SSE stream open, ms. Default: 15 s. It must be shorter than the
   * idle timeout of every proxy in front. A quiet stream also re-reads its log once per interval: a shorter one finds a
   * lost last message sooner, and costs more reads.
   */
  SSE_HEARTBEAT_MS: intFromEnv(100, 60 * SECOND, 15 * SECOND),
  /**
   * How long a client that stopped reading stays connected, ms. Default: 30 s. A longer time spares clients on slow
   * networks a reconnect; a shorter one frees the kernel's memory for unread data sooner. A disconnected client can
   * resume.
   */
  SSE_STALLED_CLIENT_MS: intFromEnv(100, 600 * SECOND, 30 * SECOND),
  /**
   * How many bytes of a stream a client may leave unread before nothing more is sent to it, bytes. Default: 128 KiB. It
   * bounds the kernel's memory per client; known on Linux only, elsewhere the kernel's buffers are the bound. A larger
   * window replays long logs faster over slow links.
   */
  SSE_UNREAD_BYTES: intFromEnv(16 * 1_024, 16 * 1_024 * 1_024, 128 * 1_024),
  /**
   * How many jobs may wait in one queue; further jobs are refused with `queue_full`. Default: 10,000. A higher limit
   * takes more of Redis' memory, and the last jobs wait longer.
   */
  MAX_QUEUED_JOBS: intFromEnv(1, 1_000_000, 10_000),
  /**
   * How many jobs of one owner may wait, in both queues together; further ones get 429 `waiting_jobs_limit`. Default:
   * half of `MAX_QUEUED_JOBS`, at least 1,000. A higher limit lets one owner take more of the queue from the others.
   */
  MAX_WAITING_JOBS_PER_OWNER: z.coerce.number().int().min(1).max(1_000_000).optional(),
  /**
   * How many bytes the jobs of one owner may hold in Redis until they have ended, bytes; further ones get 429
   * `waiting_bytes_limit`. Default: 64 MiB, and never more than a quarter of Redis' `maxmemory`. Large jobs and
   * documents need a higher limit to wait in numbers; a lower one leaves more of Redis to the others.
   */
  MAX_WAITING_BYTES_PER_OWNER: intFromEnv(1_024, 1_024 ** 4, 64 * 1_024 * 1_024),
  /**
   * How many streams and waiting requests of one owner may be open in one API process; further ones get 429
   * `open_streams_limit`. Default: 2,500. Each costs a socket and, if its client reads slowly, memory of the kernel.
   */
  MAX_OPEN_STREAMS_PER_OWNER: intFromEnv(1, 1_000_000, 2_500),
  /**
   * How many sessions one owner may have; a request that would begin another one gets 429 `sessions_limit`. Default:
   * 100,000. Deleting sessions makes room. They are counted at intervals, so concurrent requests may exceed it a
   * little.
   */
  MAX_SESSIONS_PER_OWNER: intFromEnv(1, 100_000_000, 100_000),
  /**
   * How long no worker may be live before `GET /health` responds 503, ms. Default: 30 s. Jobs are accepted all the same
   * and wait. A shorter time reports missing workers sooner, but also every restart of all workers.
   */
  NO_WORKER_GRACE_MS: intFromEnv(0, HOUR, 30 * SECOND),
  /**
   * How long an Idempotency-Key is remembered, s. Default: one day. It must be longer than clients go on repeating a
   * request; every key costs memory in Redis for that time.
   */
  IDEMPOTENCY_TTL_SECONDS: intFromEnv(60, 7 * 86_400, 86_400),
  /**
   * How many replicas of Redis must have a job before it is accepted, and a decision or a cancel before it is
   * confirmed; fewer within half a second: 503 `not_replicated`. Default: 0. A failover loses what no replica had yet,
   * so with 0 an accepted job can be lost. With more, a POST waits for the network between Redis and its replicas, and
   * too few replicas refuse all jobs.
   */
  ACCEPT_MIN_REPLICAS: intFromEnv(0, 10, 0),
});
export type ApiConfig = z.infer<typeof ApiConfigSchema>;

const LEAST_WAITING_JOBS = 1_000;

/** The limit that is set, or its default, which follows from the size of the queues. */
export const waitingJobsPerOwner = (
  config: Pick<ApiConfig, "MAX_QUEUED_JOBS" | "MAX_WAITING_JOBS_PER_OWNER">,
): number => config.MAX_WAITING_JOBS_PER_OWNER ?? Math.max(LEAST_WAITING_JOBS, Math.floor(config.MAX_QUEUED_JOBS / 2));
