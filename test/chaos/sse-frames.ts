/**
 * Reads events from the text of a stream. A separate reader, so that a fault of the product's codec cannot hide itself.
 */
import type { Chunk } from "./transcript.ts";

export type Frame = {
  readonly id: number;
  readonly event: string;
  readonly data: { readonly [field: string]: unknown };
  readonly at: number;
};

/** Returns the complete frames with an id; comments, `retry:` and an incomplete last frame are skipped. */
export function readFrames(chunks: readonly Chunk[]): Frame[] {
  const frames: Frame[] = [];
  let rest = "";
  for (const [at, text] of chunks) {
    const pieces = (rest + text).split("\n\n");
    rest = pieces.pop() ?? "";
    for (const piece of pieces) {
      const frame = readFrame(piece, at);
      if (frame !== null) frames.push(frame);
    }
  }
  return frames;
}

function readFrame(text: string, at: number): Frame | null {
  const fields = new Map(
    text.split("\n").map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  const [id, event, data] = [fields.get("id"), fields.get("event"), fields.get("data")];
  if (id === undefined || event === undefined || data === undefined) return null;
  return { id: Number(id), event, data: JSON.parse(data), at };
}

/** The text that a client shows after receiving these events. */
export function shownAfter(frames: readonly Frame[]): string {
  let text = "";
  for (const { event, data } of frames) {
    if (event !== "message") continue;
    text = data.type === "reset" ? String(data.content) : text + String(data.content);
  }
  return text;
}
