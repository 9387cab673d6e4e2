import { expect, test } from "vitest";
import { type Frame, SseParser } from "./sse.ts";

function framesOf(...pieces: string[]): Frame[] {
  const parser = new SseParser();
  return pieces.flatMap((piece) => [...parser.read(piece)]);
}

const FRAMES = [
  "retry: 2000\n\n",
  ": hb\n\n",
  'id: 1\nevent: thought\ndata: {"content":"这是 🙂","type":"status"}\n\n',
  "id: 2\ndata\n\n",
  "event: message\nid:3\ndata:one\ndata:  two\n\n",
].join("");

const READ: Frame[] = [
  { retryMs: 2_000 },
  { event: "thought", id: "1", data: '{"content":"这是 🙂","type":"status"}' },
  { event: "message", id: "2", data: "" },
  { event: "message", id: "3", data: "one\n two" },
];

test.each([
  ["LF", "\n"],
  ["CRLF", "\r\n"],
  ["CR", "\r"],
])("frames with %s line ends are read whole and cut at every place", (_name, end) => {
  const text = FRAMES.replaceAll("\n", end);
  expect(framesOf(text)).toEqual(READ);
  expect(framesOf(...text)).toEqual(READ);
  for (let at = 1; at < text.length; at += 1) expect(framesOf(text.slice(0, at), text.slice(at))).toEqual(READ);
});

test("an event whose lines end with CR comes without waiting for what follows", () => {
  expect(framesOf("data: a\r\r")).toEqual([{ event: "message", id: "", data: "a" }]);
});

test("an event that breaks off before its empty line is none", () => {
  expect(framesOf("data: whole\n\ndata: broken\n")).toEqual([{ event: "message", id: "", data: "whole" }]);
});

test("fields that cannot be used are left out", () => {
  expect(framesOf("retry: soon\nretry:\nretry: 1.5\nid: a\0b\nother: x\nid\n\n")).toEqual([]);
});
