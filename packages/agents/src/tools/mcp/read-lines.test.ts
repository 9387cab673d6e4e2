import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { readLines } from "./read-lines.ts";

test("lines are whole however the stream was split, and a long line is cut", async () => {
  const stream = new PassThrough();
  const lines: string[] = [];
  readLines(stream, (line) => lines.push(line));
  for (const chunk of ["one\ntw", "o\r\n\n", "x".repeat(600), "x".repeat(600), `${"x".repeat(9_000)}\nthree`]) {
    stream.write(chunk);
  }
  stream.end();
  await new Promise((resolve) => stream.once("close", resolve));
  expect(lines).toEqual(["one", "two", "x".repeat(1_000), "three"]);
});
