/**
 * The body of a response that streams. Node writes a chunk of a chunked response in four pieces; one piece, as here,
 * saves a fifth of the API's work per token. A response that is not chunked, or that waits behind another response of a
 * client that pipelines, uses Node's own writes.
 */
import type { Response } from "express";

export type ChunkedResponse = {
  /** False: the connection is full. */
  write(bytes: Buffer): boolean;
  /** Whether the connection is full. */
  isFull(): boolean;
  /** Calls `listener` whenever the connection can take more again. */
  onDrain(listener: () => void): void;
};

const CRLF = "\r\n";

/** The caller has written the head before, and everything else that it writes through `res.write`. */
export function createChunkedResponse(res: Response): ChunkedResponse {
  const { socket } = res;
  if (socket === null || !res.chunkedEncoding) {
    return {
      write: (bytes) => res.write(bytes),
      isFull: () => res.writableNeedDrain,
      onDrain: (listener) => void res.on("drain", listener),
    };
  }
  return {
    // An empty chunk would end the body.
    write: (bytes) => bytes.length === 0 || socket.write(asChunk(bytes)),
    isFull: () => socket.writableNeedDrain,
    onDrain(listener) {
      socket.on("drain", listener);
      // The connection may carry further responses.
      res.on("close", () => socket.off("drain", listener));
    },
  };
}

/** A chunk as HTTP/1.1 frames it, RFC 9112 section 7.1. */
function asChunk(bytes: Buffer): Buffer {
  const head = bytes.length.toString(16) + CRLF;
  const chunk = Buffer.allocUnsafe(head.length + bytes.length + CRLF.length);
  chunk.write(head, "latin1");
  chunk.set(bytes, head.length);
  chunk.write(CRLF, chunk.length - CRLF.length, "latin1");
  return chunk;
}
