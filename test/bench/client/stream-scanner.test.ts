import { expect, test } from "vitest";
import { StreamScanner } from "./stream-scanner.ts";

const latin1 = (text: string) => Buffer.from(text).toString("latin1");
const frame = (content: string) => `id: 1\nevent: message\ndata: {"content":"${content}","type":"text"}\n\n`;
const DONE = 'id: 9\nevent: done\ndata: {"status":"completed"}\n\n';

function scan(pieces: readonly string[]) {
  const tokens: [string, number][] = [];
  let resets = 0;
  const scanner = new StreamScanner('"status":"completed"', {
    token: (text, sentAtMs) => tokens.push([text, sentAtMs]),
    reset: () => resets++,
  });
  for (const piece of pieces) scanner.push(piece);
  return { tokens, resets, done: scanner.done };
}

test("tokens and stamps are found wherever the stream is split", () => {
  const stream = latin1(`retry: 2000\n\n: hb\n\n${frame("⟨1.5⟩A")}${frame("⟨2.25⟩ word")}${frame("⟨3⟩.")}${DONE}`);
  for (let size = 1; size <= stream.length; size++) {
    const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, at) =>
      stream.slice(at * size, (at + 1) * size),
    );
    expect(scan(pieces)).toEqual({
      tokens: [
        ["A", 1.5],
        [" word", 2.25],
        [".", 3],
      ],
      resets: 0,
      done: true,
    });
  }
});

test("several tokens in one frame are all found", () => {
  expect(scan([latin1(frame("⟨1⟩A⟨2⟩ word"))]).tokens).toEqual([
    ["A", 1],
    [" word", 2],
  ]);
});

test("a stream that breaks off is not done", () => {
  expect(scan([latin1(frame("⟨1⟩A"))]).done).toBe(false);
  expect(scan([latin1(DONE.slice(0, -1))]).done).toBe(false);
});

test("a reset is reported at its position among the tokens", () => {
  const reset = 'id: 2\nevent: message\ndata: {"content":"","type":"reset"}\n\n';
  const found = scan([latin1(frame("⟨1⟩A") + reset + frame("⟨2⟩A"))]);
  expect(found).toEqual({
    tokens: [
      ["A", 1],
      ["A", 2],
    ],
    resets: 1,
    done: false,
  });
});
