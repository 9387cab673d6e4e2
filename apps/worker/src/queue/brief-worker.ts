/** BullMQ's worker, with what the platform does in another way than BullMQ. */
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import { MAX_BLOCK_MS } from "@agent-paas/shared/redis/watch-silence.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { type Job, type Processor, raw2NextJobData, Worker, type WorkerOptions } from "bullmq";
import { TAKE_SCRIPT, takeKeysOf } from "./take-script.ts";

export type BriefWorkerOptions = Omit<WorkerOptions, "connection" | "name" | "lockDuration"> & {
  readonly connection: RedisConnection;
  /** Of the worker's process. */
  readonly name: string;
  readonly lockDuration: number;
};

export class BriefWorker extends Worker {
  readonly #take: ReturnType<typeof TAKE_SCRIPT.on>;
  readonly #takeKeys: ReturnType<typeof takeKeysOf>;
  readonly #options: BriefWorkerOptions;
  /** Whether the last look left no job: the next one is announced then, and no look in between finds any. */
  #isDrained = false;

  constructor(queue: string, processor: Processor, options: BriefWorkerOptions) {
    super(queue, processor, options);
    this.#options = options;
    this.#take = TAKE_SCRIPT.on(options.connection);
    this.#takeKeys = takeKeysOf((type) => this.toKey(type));
  }

  protected override async moveToActive(token: string, name?: string): Promise<Job> {
    const { name: worker, lockDuration: lock_ms } = this.#options;
    const taken = await this.#take({ ...this.#takeKeys, token, lock_ms, worker });
    if (taken === null) {
      this.#isDrained = false;
      return super.moveToActive(token, name);
    }
    if (taken.length === 0) {
      this.#isDrained = true;
      return this.nextJobFromJobData();
    }
    const [fields, id, waiting] = taken;
    const [data] = raw2NextJobData([fields, id]);
    const job = await this.nextJobFromJobData(data, id, token);
    this.#isDrained = waiting === 0;
    // Without a job it notes that the queue is drained: then the worker waits at once for the next one.
    if (this.#isDrained) await this.nextJobFromJobData();
    return job;
  }

  /** BullMQ looks for a next job in the script that ends one. */
  protected override handleCompleted(
    result: unknown,
    job: Job,
    token: string,
    mayFetch: () => boolean = () => true,
  ): Promise<Job> {
    return super.handleCompleted(result, job, token, () => !this.#isDrained && mayFetch());
  }

  /** Blocks only for as long as a connection may be silent, also while delayed jobs wait. */
  protected override getBlockTimeout(blockUntil: number): number {
    return Math.min(super.getBlockTimeout(blockUntil), MAX_BLOCK_MS / SECOND);
  }

  /** The check for stalled jobs, now. */
  async restartStalled(): Promise<void> {
    for (const jobId of await this.backend.moveStalledJobsToWait()) this.emit("stalled", jobId, "active");
  }
}
