/** Reads event logs. An entry is a batch; its id is `<last seq>-<first seq>`. */
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";

type Entry = [id: Buffer, fields: Buffer[]];

/** The contract suite of `test/contract` holds for every implementation. */
export type EventLog = {
  /** The batches with events after `seq`, in their order; at most `page` of them. */
  read(jobId: string, seq: number, page: number): Promise<Buffer[]>;
  /** The last batch, null if there is no log. */
  last(jobId: string): Promise<Buffer | null>;
};

export function createEventLog(redis: RedisConnection, keys: RedisKeys): EventLog {
  const batchOf = ([, fields]: Entry): Buffer => fields[1] as Buffer;
  return {
    async read(jobId, seq, page) {
      const entries = await redis.xrangeBuffer(keys.eventLog(jobId), `${seq + 1}-0`, "+", "COUNT", page);
      return (entries as Entry[]).map(batchOf);
    },

    async last(jobId) {
      const [entry] = (await redis.xrevrangeBuffer(keys.eventLog(jobId), "+", "-", "COUNT", 1)) as Entry[];
      return entry === undefined ? null : batchOf(entry);
    },
  };
}
