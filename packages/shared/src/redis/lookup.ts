/**
 * Connections whose server is looked up each time they connect, because it moves: that of a master by its Sentinels,
 * that of a cluster's slot by the nodes. A connection then behaves as one to a single Redis does, failover included:
 * it breaks, or an error says that the server is the wrong one, and the next server is looked up.
 */
import { connect as connectTcp, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { AbstractConnector, Redis, type RedisOptions } from "ioredis";
import type { RedisAddress, RedisLogin } from "../config/redis-topology.ts";
import { SECOND } from "../time.ts";

export type Lookup = () => Promise<RedisAddress>;

/** All are asked at once, so one that has vanished delays nobody. */
const ANSWERS_WITHIN_MS = 1.5 * SECOND;
/** So long after the first answer a newer one is waited for: in a partition, some know less than others. */
const NEWER_WITHIN_MS = 150;
/** How often the server of a connection that stands is looked up. */
const VERIFY_EVERY_MS = SECOND;
/** How long a connection that is given up may take to send what it has. */
const DISCONNECTS_WITHIN_MS = 2 * SECOND;

export type Asked = RedisLogin & { readonly addresses: readonly RedisAddress[]; readonly tls?: ConnectionOptions };

/** The newest answer of the servers, by its `epoch`; rejects if none of them has one. */
export async function askServers<Answer extends { readonly epoch: number }>(
  { addresses, ...login }: Asked,
  ask: (redis: Redis, asked: RedisAddress) => Promise<Answer>,
): Promise<Answer> {
  const answers: Answer[] = [];
  const asked = addresses.map(async (address) => {
    answers.push(await askServer(address, login, ask));
  });
  try {
    await Promise.any(asked);
  } catch (error) {
    throw new Error("None of the servers that know the way to Redis has an answer", { cause: firstOf(error) });
  }
  await Promise.race([Promise.allSettled(asked), delay(NEWER_WITHIN_MS, undefined, { ref: false })]);
  return answers.reduce((newest, answer) => (answer.epoch > newest.epoch ? answer : newest));
}

async function askServer<Answer>(
  address: RedisAddress,
  login: Omit<Asked, "addresses">,
  ask: (redis: Redis, asked: RedisAddress) => Promise<Answer>,
): Promise<Answer> {
  const limits = { connectTimeout: ANSWERS_WITHIN_MS, commandTimeout: ANSWERS_WITHIN_MS, retryStrategy: () => null };
  const redis = new Redis({ ...address, ...login, ...limits, enableReadyCheck: false, disableClientInfo: true });
  redis.on("error", () => {
    // Whoever asks learns of it.
  });
  try {
    return await ask(redis, address);
  } finally {
    redis.disconnect();
  }
}

const firstOf = (error: unknown): unknown => (error instanceof AggregateError ? error.errors[0] : error);

export type SharedLookups<Answer> = {
  readonly now: () => Promise<Answer>;
  /** An answer that is no older than `recentMs`. */
  readonly recently: () => Promise<Answer>;
};

/** Connections that look up at the same time share the answer. */
export function shareLookups<Answer>(ask: () => Promise<Answer>, recentMs: number): SharedLookups<Answer> {
  let asking: Promise<Answer> | null = null;
  let latest: { readonly answer: Answer; readonly at: number } | null = null;
  async function askAnew(): Promise<Answer> {
    try {
      const answer = await ask();
      latest = { answer, at: performance.now() };
      return answer;
    } finally {
      asking = null;
    }
  }
  function now(): Promise<Answer> {
    asking ??= askAnew();
    return asking;
  }
  const isRecent = (at: number) => performance.now() - at < recentMs;
  return { now, recently: async () => (latest !== null && isRecent(latest.at) ? latest.answer : now()) };
}

/**
 * The options of a connection to the server that `lookup` finds. It closes when `verify` finds another one: a master
 * that was replaced, and came back before it has learnt of that, takes commands that are lost; and a subscriber, or who
 * sends nothing, would not learn that a slot has moved.
 */
export const lookedUp = (lookup: Lookup, verify: Lookup, tls: ConnectionOptions | undefined): RedisOptions => ({
  ...(tls && { tls }),
  Connector: class extends AbstractConnector {
    readonly #retryDelay: (times: number) => unknown;

    constructor(options: unknown) {
      super(DISCONNECTS_WITHIN_MS);
      const { retryStrategy } = options as Pick<RedisOptions, "retryStrategy">;
      this.#retryDelay = (times) => retryStrategy?.(times);
    }

    override async connect(emit: (type: string, error: Error) => void): Promise<Socket> {
      this.connecting = true;
      const address = await this.#find(emit);
      const stream = tls ? connectTls({ ...address, ...tls }) : connectTcp(address);
      stream.once("error", (error) => {
        this.firstError = error;
      });
      this.stream = stream;
      this.#leaveWhenReplaced(stream, address);
      return stream;
    }

    #leaveWhenReplaced(stream: Socket, { host, port }: RedisAddress): void {
      async function look(): Promise<void> {
        const found = await verify().catch(() => null);
        if (found !== null && (found.host !== host || found.port !== port)) stream.destroy();
      }
      const timer = setInterval(() => void look(), VERIFY_EVERY_MS).unref();
      stream.once("close", () => clearInterval(timer));
    }

    /** ioredis gives a connection up for good when this rejects, so it goes on for as long as the connection would. */
    async #find(emit: (type: string, error: Error) => void): Promise<RedisAddress> {
      for (let times = 1; ; times += 1) {
        try {
          const address = await lookup();
          if (this.connecting) return address;
        } catch (error) {
          const pauseMs = this.#retryDelay(times);
          if (typeof pauseMs !== "number" || !(error instanceof Error)) throw error;
          emit("error", error);
          await delay(pauseMs);
        }
        if (!this.connecting) throw new Error("Connection is closed.");
      }
    }

    /** A server that is a replica by now, or still: the next lookup may know better. */
    override check({ role }: { readonly role?: string }): boolean {
      return role === undefined || role === "master";
    }
  },
});
