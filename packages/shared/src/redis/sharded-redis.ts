/**
 * One connection for each hash tag of the platform's keys (`keys.ts`), behind the interface of one. A command goes to
 * the connection of its first key's slot; what has no key, to the one that most keys share, and with them the clock.
 *
 * Each is an ordinary connection to whatever server has the slot. So what a role promises about waiting, failing and
 * repeating, silence and the writes of one event loop iteration holds for each of them as for a single Redis, and
 * BullMQ, whose keys share a slot, sees nothing else than a single Redis.
 */
import type { Command, Redis, RedisOptions } from "ioredis";
import { type ConnectionLogger, SupervisedRedis } from "./supervised-redis.ts";
import { slotOf } from "./topology.ts";

export type ShardedOptions = {
  /** The hash tag that most keys have, and the others. */
  readonly home: string;
  readonly shards: readonly string[];
  readonly optionsOf: (slot: number) => RedisOptions;
  readonly onShard: (redis: Redis) => void;
  readonly logger: ConnectionLogger;
};

export class ShardedRedis extends SupervisedRedis {
  readonly #options: ShardedOptions;
  readonly #homeSlot: number;
  readonly #shards = new Map<number, SupervisedRedis>();

  constructor(options: ShardedOptions) {
    const homeSlot = slotOf(options.home);
    super(options.optionsOf(homeSlot), options.logger);
    this.#options = options;
    this.#homeSlot = homeSlot;
  }

  override sendCommand(command: Command, pipeline?: Parameters<Redis["sendCommand"]>[1]): unknown {
    const slot: number | null = command.getSlot();
    return slot === null || slot === this.#homeSlot
      ? super.sendCommand(command, pipeline)
      : this.#shard(slot).sendCommand(command, pipeline);
  }

  override disconnect(reconnect = false): void {
    super.disconnect(reconnect);
    if (reconnect) return;
    for (const shard of this.#shards.values()) shard.disconnect();
  }

  connectionFor(key: string): Redis {
    const slot = slotOf(key);
    return slot === this.#homeSlot ? this : this.#shard(slot);
  }

  /** One for each hash tag; those that no command has needed yet are opened. */
  connections(): readonly Redis[] {
    return [...new Set([this, ...this.#options.shards.map((tag) => this.connectionFor(tag))])];
  }

  #shard(slot: number): SupervisedRedis {
    let shard = this.#shards.get(slot);
    if (shard === undefined) {
      shard = new SupervisedRedis(this.#options.optionsOf(slot), this.#options.logger);
      this.#shards.set(slot, shard);
      this.#options.onShard(shard);
    }
    return shard;
  }
}
