/**
 * Reads the body of a response as text. The server decides what it sends, so everything is bounded: only text types are
 * read, at most one content coding is undone, and both what is received and what it becomes have a limit. No stream is
 * left behind: a decoder that nobody reads would go on with what it has received.
 */
import { type Readable, Transform, type TransformCallback } from "node:stream";
import { pipeline } from "node:stream/promises";
import { TextDecoder } from "node:util";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { ToolError } from "../tool.ts";

const TEXT_TYPE =
  /^(text\/.*|application\/(json|xml|javascript|ecmascript|yaml|x-yaml|toml|x-ndjson|jsonl)|.*\+(json|xml|yaml))$/;

/** The request asks for these. */
export const ACCEPTED_ENCODINGS = "gzip, br";

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/** How much more than the wanted text a compressed body may have: empty blocks become no text at all. */
const MAX_COMPRESSED_FACTOR = 2;

export type TextResponse = {
  readonly statusCode: number;
  readonly body: Readable;
  header(name: string): string | null;
};

export type BoundedText = { readonly text: string; readonly truncated: boolean };

/** `maxBytes` counts decompressed bytes; reading stops there. */
export async function readText(response: TextResponse, maxBytes: number, signal: AbortSignal): Promise<BoundedText> {
  const contentType = response.header("content-type") ?? "text/plain";
  const type = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  if (!TEXT_TYPE.test(type)) {
    const size = response.header("content-length");
    const stated = size === null ? "size unknown" : `${size} bytes`;
    throw new ToolError(`The answer (status ${response.statusCode}) is no text: ${type.slice(0, 100)}, ${stated}.`);
  }
  const decoder = decoderOf(response.header("content-encoding") ?? "identity");
  const chunks: Buffer[] = [];
  let size = 0;
  const full = new AbortController();
  const collect = async (source: AsyncIterable<Buffer>) => {
    for await (const chunk of source) {
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size > maxBytes) full.abort();
    }
  };
  try {
    const options = { signal: AbortSignal.any([signal, full.signal]) };
    if (decoder === null) await pipeline(response.body, collect, options);
    else await pipeline(response.body, atMost(maxBytes * MAX_COMPRESSED_FACTOR), decoder, collect, options);
  } catch (error) {
    if (!full.signal.aborted) throw error;
  }
  const bytes = Buffer.concat(chunks).subarray(0, maxBytes);
  const truncated = size > maxBytes;
  // `stream` drops a character that the limit cuts in two.
  return { text: textDecoderFor(contentType).decode(bytes, { stream: truncated }), truncated };
}

/** Null: the body is not compressed. Codings can be stacked, and each may multiply what the next one has to undo. */
function decoderOf(contentEncoding: string): Transform | null {
  const coding = contentEncoding.trim().toLowerCase();
  if (coding === "" || coding === "identity") return null;
  const create = Object.hasOwn(DECODERS, coding) ? DECODERS[coding] : undefined;
  if (create !== undefined) return create();
  throw new ToolError(`The answer is compressed in a way that is not read: ${coding.slice(0, 100)}.`);
}

/** Passes on what it gets, and fails beyond this many bytes. */
function atMost(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done: TransformCallback) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes)
        done(new ToolError(`The answer is larger than ${maxBytes} bytes before it is decompressed.`));
      else done(null, chunk);
    },
  });
}

function textDecoderFor(contentType: string): TextDecoder {
  const charset = /;\s*charset="?([^\s";]+)/i.exec(contentType)?.[1];
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}
