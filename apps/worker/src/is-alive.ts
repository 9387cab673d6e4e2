/**
 * The health check of a container: exits with 0 while the API counts the worker in this container as alive, else with
 * 1. It reads the worker's heartbeat in Redis, by the clock of Redis.
 */
import { hostname } from "node:os";
import { readConfigOrExit } from "@agent-paas/shared/config/read-config.ts";
import { WORKER_TTL_MS } from "@agent-paas/shared/contract/agents.ts";
import { connectOnce } from "@agent-paas/shared/redis/connect.ts";
import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { WorkerConfigSchema } from "./config.ts";

const config = readConfigOrExit(WorkerConfigSchema, process.env);
const name = config.PROCESS_NAME ?? `worker-${hostname()}`;
const keys = createRedisKeys(config.REDIS_PREFIX);
const redis = connectOnce(config.REDIS_URL, keys);
redis.on("error", () => process.exit(1));

const [[seconds = 0], records] = await Promise.all([redis.time(), redis.hgetall(keys.workers)]);
const isAlive = Object.entries(records).some(
  ([id, record]) => id.startsWith(`${name}:`) && Number(seconds) * 1_000 - Number.parseInt(record, 10) < WORKER_TTL_MS,
);
process.exit(isAlive ? 0 : 1);
