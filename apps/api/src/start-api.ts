/** Builds the API's services in the order of their needs; each pushes its release. */
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { databaseFile } from "@agent-paas/shared/db/open-database.ts";
import type { Releasers } from "@agent-paas/shared/lifecycle/releasers.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { connectRedis, isReadyWithin } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { assertNoEviction } from "@agent-paas/shared/redis/memory.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { createApp } from "./app.ts";
import type { ApiConfig } from "./config.ts";
import { createEventLog } from "./events/event-log.ts";
import { createJobEventFanout } from "./events/job-event-fanout.ts";
import { createJobEventSubscriber } from "./events/job-event-subscriber.ts";
import { createOpenResponses, type OpenResponses } from "./events/open-responses.ts";
import { createTimingWheel } from "./events/timing-wheel.ts";
import { createAgentCatalog } from "./presence/agent-catalog.ts";
import { createJobProducer } from "./queue/job-producer.ts";
import { createQueuedJobs } from "./queue/queued-jobs.ts";
import type { Services } from "./services.ts";
import { createReadDatabase } from "./storage/database.ts";
import { createJobReader } from "./storage/job-reader.ts";
import { createKnowledgeReader } from "./storage/knowledge-reader.ts";
import { createSessionReader } from "./storage/session-reader.ts";

/** Limits of a connection; `requestTimeout` is for receiving a request, so it cuts no stream. */
const SERVER_LIMITS = {
  requestTimeout: 30 * SECOND,
  headersTimeout: 10 * SECOND,
  // Longer than the 60 s after which proxies let go of idle connections.
  keepAliveTimeout: 65 * SECOND,
} as const;
const MAX_CONNECTIONS = 20_000;

/** How long the start waits for Redis; after that the API serves what needs none and says 503 for the rest. */
const REDIS_WAIT_MS = 5 * SECOND;

export async function startApi(
  config: ApiConfig,
  name: string,
  logger: Logger,
  releasers: Releasers,
): Promise<{ url: string }> {
  const keys = createRedisKeys(config.REDIS_PREFIX);
  // Logs are read on a connection of their own, so that a long replay does not hold up who wants a job accepted.
  const common = { topology: config.REDIS_URL, logger };
  const redis = connectRedis({ ...common, role: "request", name });
  const logRedis = connectRedis({ ...common, role: "request", name: `${name}:logs` });
  const subscriberRedis = connectRedis({ ...common, role: "subscriber", name });
  const connections = [redis, logRedis, subscriberRedis];
  for (const connection of connections) releasers.add("redis", () => connection.disconnect());
  const isUp = await Promise.all(connections.map((connection) => isReadyWithin(connection, REDIS_WAIT_MS)));
  if (isUp.includes(false)) logger.warn("started without Redis");
  // One that comes later is refused by every POST and told by health.
  else await assertNoEviction(redis);

  const database = createReadDatabase(databaseFile(config.DATABASE_URL));
  releasers.add("database", () => database.close());
  const jobs = createJobReader(database);
  const sessions = createSessionReader(database);

  const producer = createJobProducer({
    redis,
    keys,
    idempotencyTtlSeconds: config.IDEMPOTENCY_TTL_SECONDS,
    maxQueuedJobs: config.MAX_QUEUED_JOBS,
    hasStarted: async (owner, jobId) => (await jobs.find(owner, jobId)) !== undefined,
    hasSession: async (owner, sessionId) => (await sessions.find(owner, sessionId)) !== undefined,
    logger,
  });
  releasers.add("producer", () => producer.close());

  const wheel = createTimingWheel(config.SSE_HEARTBEAT_MS);
  releasers.add("wheel", () => wheel.stop());
  const subscriber = createJobEventSubscriber(subscriberRedis, keys, logger);
  // What could not be read while the logs' connection was away is read when it is back.
  logRedis.on("ready", subscriber.notifyGap);
  releasers.add("subscriber", () => subscriber.stop());
  const openResponses = createOpenResponses();
  const fanout = createJobEventFanout({ subscriber, log: createEventLog(logRedis, keys), wheel, openResponses });

  const services: Services = {
    config,
    database,
    jobs,
    sessions,
    knowledge: createKnowledgeReader(database),
    queuedJobs: createQueuedJobs(redis, keys, producer.queues),
    producer,
    agentCatalog: createAgentCatalog(redis, keys),
    fanout,
    sse: { fanout, wheel, stalledClientMs: config.SSE_STALLED_CLIENT_MS, openResponses },
  };

  const server = createServer(SERVER_LIMITS, createApp(services, logger));
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = trackSockets(server);
  const { port } = await listen(server, config.HOST, config.PORT);
  releasers.add("server", () => stopServing(server, sockets, openResponses, config.SHUTDOWN_GRACE_MS));
  const url = `http://${config.HOST.includes(":") ? `[${config.HOST}]` : config.HOST}:${port}`;
  logger.info({ url }, "api ready");
  return { url };
}

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/**
 * Streams and waits are ended at once: their clients reconnect, to another process or to this one's successor, and resume
 * or ask again.
 */
async function stopServing(
  server: Server,
  sockets: ReadonlySet<Socket>,
  openResponses: OpenResponses,
  graceMs: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  openResponses.endAll();
  server.closeIdleConnections();
  // Those that have not asked anything yet (browsers open some in advance) do not count as idle to Node.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearTimeout(cut);
}

function trackSockets(server: Server): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}
