/**
 * A buffer for log lines on their way to the thread that writes them. One message to that thread costs more than one
 * line, so lines go together. Warnings and errors go at once, after all lines before them.
 */
import type { DestinationStream, pino } from "pino";

/** The longest time that a line stays in the buffer, ms. */
const MAX_BUFFERED_MS = 50;

/** The number of pino's level `warn`. */
const WARN_LEVEL = 40;

/** A destination with this property receives the level of each line, as `lastLevel`. */
const METADATA = Symbol.for("pino.metadata");

type Transport = ReturnType<typeof pino.transport>;

export function bufferLines(transport: Transport): DestinationStream {
  let lines = "";
  let timer: NodeJS.Timeout | undefined;

  function sendLines(): void {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== "") transport.write(lines);
    lines = "";
  }

  // Must run before the listener of the transport, which closes the transport.
  process.prependListener("exit", sendLines);
  return Object.assign(
    {
      lastLevel: 0,
      write(line: string) {
        lines += line;
        if (this.lastLevel >= WARN_LEVEL) sendLines();
        else timer ??= setTimeout(sendLines, MAX_BUFFERED_MS);
      },
      flush(done: (error?: Error) => void) {
        sendLines();
        transport.flush(done);
      },
      flushSync() {
        sendLines();
        transport.flushSync();
      },
    },
    { [METADATA]: true },
  );
}
