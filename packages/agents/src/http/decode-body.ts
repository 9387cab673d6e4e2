/**
 * Undoes the content coding of an answer while it arrives: what a server has flushed can be read at once. One coding
 * alone, because a server may name any number of them.
 */
import { pipeline, type Readable, Transform } from "node:stream";
import * as zlib from "node:zlib";

const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = zlib.constants;
/** An answer whose end is missing is read as far as it goes; whether it is whole, its reader knows. */
const FLUSHED = { flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH };
const BROTLI = { flush: BROTLI_OPERATION_FLUSH, finishFlush: BROTLI_OPERATION_FLUSH };

/** Newer versions of Node have it. */
const createZstd: (() => Transform) | undefined = zlib.createZstdDecompress;

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => zlib.createGunzip(FLUSHED),
  "x-gzip": () => zlib.createGunzip(FLUSHED),
  deflate: createAnyInflate,
  br: () => zlib.createBrotliDecompress(BROTLI),
  ...(createZstd === undefined ? {} : { zstd: () => createZstd() }),
};

/** The decoded body; destroying it ends the connection. Throws for a coding that is not known here. */
export function decodeBody(body: Readable, contentEncoding: string | readonly string[] | undefined): Readable {
  const codings = [contentEncoding ?? []]
    .flat()
    .flatMap((value) => value.split(","))
    .map((coding) => coding.trim().toLowerCase())
    .filter((coding) => coding !== "" && coding !== "identity");
  const [coding] = codings;
  if (coding === undefined) return body;
  const decoder = codings.length === 1 && Object.hasOwn(DECODERS, coding) ? DECODERS[coding]?.() : undefined;
  if (decoder === undefined) {
    body.on("error", () => {}).destroy();
    throw new Error(`the answer has the content coding ${codings.join(", ").slice(0, 100)}, which cannot be read`);
  }
  // The reader sees a failure at the decoder.
  pipeline(body, decoder, () => {});
  return decoder;
}

/** `deflate` has a head by the standard, and none from some servers. */
function createAnyInflate(): Transform {
  let inflate: Transform | null = null;
  const any = new Transform({
    transform(piece: Buffer, _encoding, done) {
      inflate ??= begin(piece);
      inflate.write(piece, (error) => done(error ?? null));
    },
    flush(done) {
      if (inflate === null) return done();
      inflate.once("end", () => done());
      inflate.end();
    },
    destroy(error, done) {
      inflate?.destroy();
      done(error);
    },
  });
  function begin(first: Buffer): Transform {
    const hasHead = ((first[0] ?? 0) & 0x0f) === 8;
    const begun = hasHead ? zlib.createInflate(FLUSHED) : zlib.createInflateRaw(FLUSHED);
    begun.on("data", (piece: Buffer) => any.push(piece));
    begun.on("error", (error) => any.destroy(error));
    return begun;
  }
  return any;
}
