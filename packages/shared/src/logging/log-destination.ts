/** What pino writes to: every line goes to each sink whose lowest level it reaches. */
import type { DestinationStream } from "pino";
import type { LineSink } from "./line-sink.ts";

/** The number of pino's level `warn`. */
const WARN_LEVEL = 40;

/** A destination with this property receives the level of each line, as `lastLevel`. */
const METADATA = Symbol.for("pino.metadata");

export type LeveledSink = LineSink & { readonly level: number };

/** Warnings and errors are written at once, after all lines before them. What is pending is written at the exit. */
export function distributeLines(sinks: readonly LeveledSink[]): DestinationStream {
  // Twice: a sink that fails here has something to say in the other one.
  const flushSync = () => {
    for (const sink of [...sinks, ...sinks]) sink.flushSync();
  };
  process.on("exit", flushSync);
  return Object.assign(
    {
      lastLevel: 0,
      write(line: string) {
        for (const sink of sinks) {
          if (this.lastLevel < sink.level) continue;
          sink.write(line);
          if (this.lastLevel >= WARN_LEVEL) sink.send();
        }
      },
      flush(done: (error?: Error) => void) {
        Promise.all(sinks.map((sink) => sink.flush())).then(() => done(), done);
      },
      flushSync,
    },
    { [METADATA]: true },
  );
}
