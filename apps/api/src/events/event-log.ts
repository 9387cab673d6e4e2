/** Reads event logs. An entry is a batch; its id is `<last seq>-<first seq>`. */
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { Redis } from "ioredis";

type Entry = [id: Buffer, fields: Buffer[]];

export type EventLog = ReturnType<typeof createEventLog>;

export function createEventLog(redis: Redis, keys: RedisKeys) {
  const batchOf = ([, fields]: Entry): Buffer => fields[1] as Buffer;
  return {
    /** The batches with events after `seq`, in their order; at most `page` of them. */
    async read(jobId: string, seq: number, page: number): Promise<Buffer[]> {
      const entries = await redis.xrangeBuffer(keys.eventLog(jobId), `${seq + 1}-0`, "+", "COUNT", page);
      return (entries as Entry[]).map(batchOf);
    },

    /** The last batch, null if there is no log. */
    async last(jobId: string): Promise<Buffer | null> {
      const [entry] = (await redis.xrevrangeBuffer(keys.eventLog(jobId), "+", "-", "COUNT", 1)) as Entry[];
      return entry === undefined ? null : batchOf(entry);
    },
  };
}
