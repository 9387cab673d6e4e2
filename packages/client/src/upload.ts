/** Sends a file and reports how much of it has left. */
import type { Exchange } from "./exchange.ts";
import type { Transport } from "./transport.ts";

export type UploadProgress = {
  /** Bytes that have left. */
  readonly sent: number;
  /** All bytes. */
  readonly total: number;
};

export type OnProgress = (progress: UploadProgress) => void;

/** For `Call.send`. Browsers report progress, and take a body of a stream, by other means than Node. */
export const uploader =
  (file: Blob, { fetch: send, hasOwnFetch }: Pick<Transport, "fetch" | "hasOwnFetch">, onProgress: OnProgress) =>
  (url: string, headers: Headers, exchange: Exchange): Promise<Response> => {
    const report = (sent: number) => {
      exchange.touch();
      try {
        onProgress({ sent, total: file.size });
      } catch (error) {
        exchange.fail(error);
      }
    };
    if (XMLHttpRequest === undefined) return sendStream(url, headers, exchange.signal, file, send, report);
    if (!hasOwnFetch) return sendByXhr(new XMLHttpRequest(), url, headers, exchange.signal, file, report);
    report(0);
    return send(url, { method: "POST", headers, signal: exchange.signal, body: file });
  };

type Report = (sent: number) => void;

/** A piece is asked for when those before it have left. */
const PIECE_BYTES = 65_536;

function sendStream(
  url: string,
  headers: Headers,
  signal: AbortSignal,
  file: Blob,
  send: typeof fetch,
  report: Report,
): Promise<Response> {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(stream) {
      report(sent);
      if (sent === file.size) return stream.close();
      const piece = await file.slice(sent, sent + PIECE_BYTES).arrayBuffer();
      sent += piece.byteLength;
      stream.enqueue(new Uint8Array(piece));
    },
  });
  // `duplex` is not in the types of browsers yet.
  const init = { method: "POST", headers, signal, body, duplex: "half" };
  return send(url, init as RequestInit);
}

/** The part of a browser's `XMLHttpRequest` that is used; Node's types do not know it. */
type Xhr = {
  readonly upload: { onprogress: ((event: { readonly loaded: number }) => void) | null };
  readonly status: number;
  readonly responseText: string;
  onload: (() => void) | null;
  onerror: (() => void) | null;
  onabort: (() => void) | null;
  onloadend: (() => void) | null;
  open(method: string, url: string): void;
  setRequestHeader(name: string, value: string): void;
  getResponseHeader(name: string): string | null;
  send(body: Blob): void;
  abort(): void;
};
const { XMLHttpRequest } = globalThis as { readonly XMLHttpRequest?: new () => Xhr };

function sendByXhr(
  request: Xhr,
  url: string,
  headers: Headers,
  signal: AbortSignal,
  file: Blob,
  report: Report,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    const abort = () => request.abort();
    request.open("POST", url);
    headers.forEach((value, name) => {
      request.setRequestHeader(name, value);
    });
    request.upload.onprogress = ({ loaded }) => report(loaded);
    request.onload = () => {
      const retryAfter = request.getResponseHeader("Retry-After");
      const { status, responseText } = request;
      // A 204 has no body, and `Response` takes not even an empty one.
      resolve(new Response(responseText || null, { status, headers: retryAfter ? { "Retry-After": retryAfter } : {} }));
    };
    request.onerror = () => reject(new TypeError("The upload broke off"));
    request.onabort = () => reject(signal.reason);
    request.onloadend = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    request.send(file);
  });
}
