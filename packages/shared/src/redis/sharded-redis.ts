/**
 * One connection for each hash tag of the platform's keys (`keys.ts`), behind the interface of one. A command goes to
 * the connection of its first key's slot; what has no key, to the one that most keys share, and with them the clock.
 *
 * Each is an ordinary connection to whatever server has the slot. So what a role promises about waiting, failing and
 * repeating, silence and the writes of one event loop iteration holds for each of them as for a single Redis, and
 * BullMQ, whose keys share a slot, sees nothing else than a single Redis.
 */
import type { Command, Redis, RedisOptions } from "ioredis";
import { SECOND } from "../time.ts";
import { addressOf } from "./lookup.ts";
import { type ConnectionLogger, SupervisedRedis } from "./supervised-redis.ts";
import { ownerIn, readSlots, slotOf } from "./topology.ts";

/**
 * A server that has lost a slot keeps its clients. Who sends commands learns of it by an error; a subscriber does not,
 * and neither does who sends nothing until the slot has come back with data of somebody else.
 */
const CHECK_SLOTS_EVERY_MS = 3 * SECOND;

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
  readonly #checking: NodeJS.Timeout;

  constructor(options: ShardedOptions) {
    const homeSlot = slotOf(options.home);
    super(options.optionsOf(homeSlot), options.logger);
    this.#options = options;
    this.#homeSlot = homeSlot;
    this.#checking = setInterval(() => void this.#checkSlots().catch(() => {}), CHECK_SLOTS_EVERY_MS).unref();
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
    clearInterval(this.#checking);
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

  async #checkSlots(): Promise<void> {
    const asked = addressOf(this);
    if (this.status !== "ready" || asked === undefined) return;
    const slots = await readSlots(this, asked);
    for (const [slot, connection] of [[this.#homeSlot, this] as const, ...this.#shards]) {
      const owner = ownerIn(slots, slot);
      const address = addressOf(connection);
      if (owner === undefined || address === undefined || connection.status !== "ready") continue;
      if (owner.host !== address.host || owner.port !== address.port) connection.disconnect(true);
    }
  }
}
