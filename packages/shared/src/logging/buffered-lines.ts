/**
 * Lines on their way to the thread that writes them, handed over together: to wake it costs more than a line. Warnings, and what is
 * worse, go at once, with all that is before them.
 */
import type { DestinationStream, pino } from "pino";

const HAND_OVER_WITHIN_MS = 50;

/** As pino numbers it. */
const WARN = 40;

/** What pino tells a destination beside the line, if it asks. */
const METADATA = Symbol.for("pino.metadata");

type Transport = ReturnType<typeof pino.transport>;

export function gatherLines(transport: Transport): DestinationStream {
  let lines = "";
  let timer: NodeJS.Timeout | undefined;

  function handOver(): void {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== "") transport.write(lines);
    lines = "";
  }

  // Before the transport ends itself with the process.
  process.prependListener("exit", handOver);
  return Object.assign(
    {
      lastLevel: 0,
      write(line: string) {
        lines += line;
        if (this.lastLevel >= WARN) handOver();
        else timer ??= setTimeout(handOver, HAND_OVER_WITHIN_MS);
      },
      flush(done: (error?: Error) => void) {
        handOver();
        transport.flush(done);
      },
      flushSync() {
        handOver();
        transport.flushSync();
      },
    },
    { [METADATA]: true },
  );
}
