/**
 * A `fetch` with a size limit for the SDK, which reads responses whole. The limit is the SDK's own one for stdio. It
 * asks for uncompressed answers and refuses others: `fetch` undoes as many stacked codings as a server names.
 */
import { STDIO_DEFAULT_MAX_BUFFER_SIZE as MAX_BYTES } from "@modelcontextprotocol/sdk/shared/stdio.js";
import type { FetchLike } from "@modelcontextprotocol/sdk/shared/transport.js";

export const boundedFetch: FetchLike = async (url, init) => {
  const headers = new Headers(init?.headers);
  headers.set("accept-encoding", "identity");
  const response = await fetch(url, { ...init, headers });
  if (response.body === null) return response;
  if ((response.headers.get("content-encoding") ?? "identity") !== "identity") {
    await response.body.cancel();
    throw new Error("an answer of the server is compressed, although it was asked for as it is");
  }
  let bytes = 0;
  const bounded = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      if (bytes > MAX_BYTES) throw new Error(`an answer of the server exceeds ${MAX_BYTES} bytes`);
      controller.enqueue(chunk);
    },
  });
  return new Response(response.body.pipeThrough(bounded), response);
};
