/**
 * Reads the text of a file: PDF, DOCX, HTML, CSV, or text in whatever encoding. Clients choose the files, so they are
 * read in a thread with limits of time and memory; what exceeds them, or ends the thread, is an error of this file
 * alone.
 */
import type { DocumentFormat } from "@agent-paas/shared/contract/knowledge.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { HOUR, SECOND } from "@agent-paas/shared/time.ts";
import { createThreadPool } from "../threads/thread-pool.ts";
import { OutOfMemory, TookTooLong } from "../threads/thread-pool-errors.ts";
import type { DocumentReply, DocumentRequest } from "./document-thread.ts";

export type DocumentLimits = {
  /** Pages of a PDF. */
  readonly pages: number;
  /** The text of a file, bytes as UTF-8. */
  readonly textBytes: number;
  /** Time to read one file, ms. */
  readonly withinMs: number;
};

export type DocumentFile = {
  readonly bytes: Buffer;
  readonly format: DocumentFormat;
  /** What the client says of the encoding; undefined: nothing. */
  readonly charset: string | undefined;
};

export type DocumentReader = {
  /**
   * The text, as Markdown unless the format is `text`. Rejects with a code that says what is wrong with the file, or
   * with a retryable error if no thread could read it.
   */
  read(file: DocumentFile, owner: string): Promise<string>;
  /** Ends the threads. */
  close(): Promise<void>;
};

/** One: the other core is the worker's own. A document in a common format takes milliseconds. */
const MAX_THREADS = 1;
/** A file of the largest size takes a multiple of it while it is read. */
const MEMORY = { heapMb: 384, outsideMb: 384 } as const;
/** The job that waits has a deadline of its own. */
const MAX_WAIT_MS = HOUR;

const CANNOT_READ = "Files cannot be read at present.";

export function createDocumentReader({ pages, textBytes, withinMs }: DocumentLimits): DocumentReader {
  const pool = createThreadPool<DocumentRequest, DocumentReply>({
    program: new URL("./document-thread.ts", import.meta.url),
    maxThreads: MAX_THREADS,
    withinMs,
    maxWaitMs: MAX_WAIT_MS,
    memory: MEMORY,
  });

  async function read({ bytes, format, charset }: DocumentFile, owner: string): Promise<string> {
    let reply: DocumentReply;
    try {
      reply = await pool.run({ bytes, format, charset, limits: { pages, textBytes } }, owner);
    } catch (cause) {
      const exceeded =
        cause instanceof TookTooLong
          ? `more than ${withinMs / SECOND} s`
          : cause instanceof OutOfMemory
            ? "too much memory"
            : null;
      if (exceeded === null) throw new PlatformError("agent_unavailable", { message: CANNOT_READ, cause });
      throw new PlatformError("document_unreadable", { message: `The document takes ${exceeded} to read.`, cause });
    }
    if ("text" in reply) return reply.text;
    throw new PlatformError(reply.code, { message: reply.message });
  }

  return { read, close: pool.close };
}
