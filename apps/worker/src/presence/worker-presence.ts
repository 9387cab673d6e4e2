/**
 * Publishes in Redis that this worker lives and which agents it has; the API reads it as its agent catalog. The main
 * thread sends a heartbeat every second, and so does the thread beside it (`control/thread-watch-program.ts`), which
 * receives the record from here: a busy main thread, or one silent connection, is no death.
 */
import {
  type AgentManifest,
  KEEP_MANIFESTS_MS,
  PRESENCE_INTERVAL_MS,
  type WorkerRecord,
  type WorkerSlots,
} from "@agent-paas/shared/contract/agents.ts";
import type { Logger } from "@agent-paas/shared/logging/logger.ts";
import { logRepeatedly } from "@agent-paas/shared/logging/repeated-warnings.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import type { WorkerLocks } from "../job/worker-locks.ts";
import { HEARTBEAT_SCRIPT } from "./heartbeat-scripts.ts";

const HEARTBEAT_MS = SECOND;
const FORGET_AFTER_MS = MINUTE;

/** Worker id → the time of its last heartbeat by the clock of Redis; only whether it changes means something. */
export type Heartbeats = ReadonlyMap<string, string>;

export type PresenceOptions = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  readonly workerId: string;
  /** Read again and again: tools come and go. */
  readonly listManifests: () => readonly AgentManifest[];
  readonly slots: WorkerSlots;
  readonly locks: WorkerLocks;
  /** Finds out whether the database takes this worker's writes. */
  readonly canWrite: () => Promise<boolean>;
  /** Receives the record whenever it changes. */
  readonly onRecord: (record: WorkerRecord) => void;
  /** Receives what each heartbeat of this worker has found of the others. `askedAt`: by the monotonic clock. */
  readonly onHeartbeats: (heartbeats: Heartbeats, askedAt: number) => void;
  readonly logger: Logger;
};

export type WorkerPresence = {
  /** From now on the worker is not listed; the thread goes on to say that it lives, for the jobs that it still runs. */
  stop(): Promise<void>;
};

/**
 * Resolves after the first heartbeat: from then on the API lists the worker, unless Redis has refused it. A full Redis
 * does, and only workers empty it.
 */
export async function startWorkerPresence(options: PresenceOptions): Promise<WorkerPresence> {
  const { redis, keys, workerId, listManifests, slots, locks, canWrite, onRecord, onHeartbeats, logger } = options;
  const heartbeat = HEARTBEAT_SCRIPT.on(redis);

  let record: WorkerRecord = { id: workerId, agents: [], can_write: true, slots, locks, stopping: false };
  let manifests: readonly AgentManifest[] = [];

  function setRecord(changed: Partial<WorkerRecord>): void {
    const next = { ...record, ...changed };
    if (JSON.stringify(next) === JSON.stringify(record)) return;
    record = next;
    onRecord(record);
  }

  /** Publishes the manifests with the next heartbeat. */
  async function refresh(): Promise<void> {
    manifests = listManifests();
    setRecord({ agents: manifests.map(({ id }) => id) });
    const can_write = await canWrite();
    if (can_write === record.can_write) return;
    if (can_write) logger.info("the database can be written again");
    else logger.error("the database cannot be written: jobs wait, and new ones are refused");
    setRecord({ can_write });
  }

  async function beat(): Promise<void> {
    const unpublished = manifests;
    manifests = [];
    const askedAt = performance.now();
    try {
      const heard = await heartbeat({
        workers: keys.workers,
        agents: keys.agents,
        slots: keys.slots,
        worker_id: workerId,
        record: JSON.stringify(record),
        forget_after_ms: FORGET_AFTER_MS,
        ttl: KEEP_MANIFESTS_MS / SECOND,
        rest: unpublished.flatMap((manifest) => [manifest.id, JSON.stringify(manifest)]),
      });
      if (!record.stopping) onHeartbeats(pairsOf(heard), askedAt);
    } catch (err) {
      logRepeatedly(logger, "warn", { err }, "heartbeat failed");
    }
  }

  const refreshOnce = oneAtATime(refresh);
  // While Redis is away one heartbeat waits for it, not one per interval.
  const beatOnce = oneAtATime(beat);
  onRecord(record);
  await refreshOnce();
  await beatOnce();
  const timers = [
    setInterval(() => void refreshOnce(), PRESENCE_INTERVAL_MS),
    setInterval(() => void beatOnce(), HEARTBEAT_MS),
  ];

  return {
    async stop() {
      for (const timer of timers) clearInterval(timer);
      setRecord({ agents: [], slots: {}, stopping: true });
      if (redis.status === "ready") await beat();
    },
  };
}

/** Does nothing while the former call has not settled. */
function oneAtATime(work: () => Promise<void>): () => Promise<void> {
  let isWorking = false;
  return async () => {
    if (isWorking) return;
    isWorking = true;
    await work().finally(() => {
      isWorking = false;
    });
  };
}

const pairsOf = (flat: readonly string[]): Heartbeats =>
  new Map(Array.from({ length: flat.length / 2 }, (_, at) => [flat[2 * at] ?? "", flat[2 * at + 1] ?? ""]));
