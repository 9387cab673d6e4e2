/** Reads the text of a response: text types only, and at most a limit of bytes. */
import { TextDecoder } from "node:util";
import type { Response } from "undici";
import { ToolError } from "../tool.ts";

const TEXT_TYPE =
  /^(text\/.*|application\/(json|xml|javascript|ecmascript|yaml|x-yaml|toml|x-ndjson|jsonl)|.*\+(json|xml|yaml))$/;

export type BoundedText = { readonly text: string; readonly truncated: boolean };

/** `maxBytes` counts decompressed bytes; reading stops there. */
export async function readText(response: Response, maxBytes: number): Promise<BoundedText> {
  const header = response.headers.get("content-type") ?? "text/plain";
  const type = (header.split(";")[0] ?? "").trim().toLowerCase();
  if (!TEXT_TYPE.test(type)) {
    const size = response.headers.get("content-length");
    const stated = size === null ? "size unknown" : `${size} bytes`;
    throw new ToolError(`The answer (status ${response.status}) is no text: ${type}, ${stated}.`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (size > maxBytes) break;
  }
  const bytes = Buffer.concat(chunks).subarray(0, maxBytes);
  const truncated = size > maxBytes;
  // `stream` drops a character that the limit cuts in two.
  return { text: decoderFor(header).decode(bytes, { stream: truncated }), truncated };
}

function decoderFor(contentType: string): TextDecoder {
  const charset = /;\s*charset="?([^\s";]+)/i.exec(contentType)?.[1];
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}
