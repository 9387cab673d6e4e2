/** Collects the text of a document, up to a limit: a small file may stand for very much text. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

export type TextSink = {
  /** Throws `payload_too_large` beyond the limit. */
  write(text: string): void;
  /** All of it, without what differs between operating systems and what no chunk may have. */
  text(): string;
};

export function createTextSink(maxBytes: number): TextSink {
  const parts: string[] = [];
  let bytes = 0;
  return {
    write(text) {
      bytes += Buffer.byteLength(text);
      if (bytes > maxBytes) {
        throw new PlatformError("payload_too_large", {
          message: `The document has more than ${maxBytes} bytes of text.`,
        });
      }
      parts.push(text);
    },
    text: () => tidyText(parts.join("")).replaceAll("\0", ""),
  };
}

/** Removes what differs between operating systems: the byte order mark and the line breaks. */
const tidyText = (text: string): string =>
  (text.startsWith("\uFEFF") ? text.slice(1) : text).replaceAll("\r\n", "\n").replaceAll("\r", "\n").toWellFormed();
