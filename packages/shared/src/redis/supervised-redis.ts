import { type Command, Redis, type RedisOptions } from "ioredis";
import type { Logger } from "../logging/logger.ts";
import { limitAnswers } from "./answer-limit.ts";
import { SILENCE_MAX_MS, watchSilence } from "./watch-silence.ts";

/** All that a connection says; a thread without a log passes one that is silent. */
export type ConnectionLogger = Pick<Logger, "info" | "warn">;

export type SupervisedOptions = RedisOptions & {
  readonly gathersIteration?: boolean;
  readonly limitsAnswers?: boolean;
};

/**
 * Sends the commands of one callback in one write, or of one iteration of the event loop: then requests that came on
 * many sockets, or jobs that run side by side, share it: a system call costs more than most commands, here and in
 * Redis. A connection that falls silent is replaced. So are its duplicates: BullMQ makes one for the blocking commands
 * of each worker.
 */
export class SupervisedRedis extends Redis {
  readonly #logger: ConnectionLogger;
  /** Until when further commands may join a write. */
  readonly #beforeWrite: (write: () => void) => void;
  readonly #limitAnswer: ((command: Command) => void) | undefined;

  constructor(options: SupervisedOptions, logger: ConnectionLogger) {
    super(options);
    this.#logger = logger;
    this.#beforeWrite = options.gathersIteration ? setImmediate : process.nextTick;
    this.#limitAnswer = options.limitsAnswers ? limitAnswers(this) : undefined;
    const { connectionName: connection } = this.options;
    watchSilence(this, () =>
      logger.warn({ connection, silent_ms: SILENCE_MAX_MS }, "a connection to Redis is silent and is replaced"),
    );
  }

  override duplicate(override?: Partial<RedisOptions>): Redis {
    return new SupervisedRedis({ ...this.options, ...override }, this.#logger);
  }

  override sendCommand(command: Command, pipeline?: Parameters<Redis["sendCommand"]>[1]): unknown {
    const { stream } = this;
    if (stream?.writable && stream.writableCorked === 0) {
      stream.cork();
      this.#beforeWrite(() => stream.uncork());
    }
    this.#limitAnswer?.(command);
    return super.sendCommand(command, pipeline);
  }
}
