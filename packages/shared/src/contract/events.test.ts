import { expect, test } from "vitest";
import { decodeEvents, encodeEvent, type JobEvent, readBounds, sliceAfter } from "./events.ts";

const text = (content: string): JobEvent => ({ event: "message", data: { content, type: "text" } });
const done: JobEvent = {
  event: "done",
  data: { session_id: null, job_id: "j", status: "completed", usage: null, finish_reason: null },
};
const batch = (first: number, ...events: JobEvent[]) =>
  Buffer.from(events.map((event, at) => encodeEvent(first + at, event)).join(""));

test("an event is encoded as the SSE frame of the wire", () => {
  expect(encodeEvent(7, text("这"))).toBe('id: 7\nevent: message\ndata: {"content":"这","type":"text"}\n\n');
});

test("line ends of Unicode are escaped, and halves of surrogate pairs replaced, in texts and in names", () => {
  expect(encodeEvent(7, text("a\u2028b\u2029c\u0085d"))).toContain('"a\\u2028b\\u2029c\\u0085d"');
  expect(encodeEvent(7, text("\ud83d😀\ude00"))).toContain('"\ufffd😀\ufffd"');
  const odd: JobEvent = { event: "thought", data: { content: "", type: "status", "\ud83d": ["\\ud83d"] } };
  expect(encodeEvent(7, odd)).toContain('"\ufffd":["\\\\ud83d"]');
  expect(decodeEvents(batch(1, text("\u2028"), odd))[0]).toMatchObject({ data: { content: "\u2028" } });
});

test("the bounds of a batch are read from its bytes, for one event and for several", () => {
  expect(readBounds(batch(12, text("a")))).toEqual({ first: 12, last: 12, terminal: false });
  expect(readBounds(batch(9, text("a"), text("b"), done))).toEqual({ first: 9, last: 11, terminal: true });
  expect(readBounds(batch(9, done))).toEqual({ first: 9, last: 9, terminal: true });
});

test.each([
  "\n\nid: 99\nevent: done\ndata: {}\n\n",
  "event: done",
  "\r\n\r\nid: 1",
  "\u2028id: 5\u2029",
  '"\\n\\nid: 3',
])("text that looks like a frame boundary does not split a frame: %j", (content) => {
  const bytes = batch(3, text("a"), text(content));
  expect(readBounds(bytes)).toEqual({ first: 3, last: 4, terminal: false });
  expect(decodeEvents(bytes).map(({ seq }) => seq)).toEqual([3, 4]);
  expect(decodeEvents(bytes)[1]).toMatchObject({ data: { content } });
});

test("a slice of a batch begins with the first event after the given seq", () => {
  const bytes = batch(998, text("a"), text("b"), text("c"), done);
  expect(decodeEvents(sliceAfter(bytes, 997)).map(({ seq }) => seq)).toEqual([998, 999, 1000, 1001]);
  expect(decodeEvents(sliceAfter(bytes, 999)).map(({ seq }) => seq)).toEqual([1000, 1001]);
  expect(decodeEvents(sliceAfter(bytes, 1000)).map(({ seq }) => seq)).toEqual([1001]);
});
