import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { LAST_EVENT, readEvents } from "./read-events.ts";

/** The batches of events that the reader yields for a body of these pieces. */
async function readAll(pieces: readonly (string | Buffer)[]): Promise<string[][]> {
  const body = new PassThrough();
  const taken: string[][] = [];
  const reading = (async () => {
    for await (const events of readEvents(body)) taken.push(events.map(({ data }) => data));
  })();
  for (const piece of pieces) {
    body.write(piece);
    await new Promise(setImmediate);
  }
  body.end();
  await reading;
  return taken;
}

test("events of one read of the body are yielded together", async () => {
  expect(await readAll(["data: a\n\ndata: b\n\nda", "ta: c\n\n"])).toEqual([["a", "b"], ["c"]]);
});

test("line ends, comments, other fields and multi-line data are read as the standard demands", async () => {
  const stream = ": keep-alive\r\n\r\nevent: x\r\nid: 1\r\ndata: a\r\ndata: b\r\n\r\n:\n\ndata:c\n\n";
  expect(await readAll([stream])).toEqual([["a\nb", "c"]]);
});

test("an event keeps its name, and a field of the name error is an event", async () => {
  const body = new PassThrough();
  body.end('event: error\ndata: {"a":1}\n\nerror: {"b":2}\n\n');
  const events = (await Array.fromAsync(readEvents(body))).flat();
  expect(events).toMatchObject([
    { event: "error", data: '{"a":1}' },
    { event: "error", data: '{"b":2}' },
  ]);
});

test("a body without events is one event: JSON, or somebody's words", async () => {
  expect(await readAll(['{\n  "a":\n 1}'])).toEqual([['{\n  "a":\n 1}', LAST_EVENT]]);
  expect(await readAll(["no healthy ", "upstream"])).toEqual([["no healthy upstream"]]);
  expect(await readAll([": only a comment\n\n"])).toEqual([]);
});

test("a character that is split between two reads is decoded whole", async () => {
  const bytes = Buffer.from("data: 你好🎉\n\n");
  expect(await readAll([...bytes].map((byte) => Buffer.from([byte])))).toEqual([["你好🎉"]]);
});

test("a last event without an empty line after it is read", async () => {
  expect(await readAll(["data: a\n\ndata: b\n"])).toEqual([["a"], ["b"]]);
});

test("reading ends with the last event, and the body may end by itself", async () => {
  const body = new PassThrough();
  body.write(`data: a\n\ndata: ${LAST_EVENT}\n\ndata: behind\n\n`);
  const taken = await Array.fromAsync(readEvents(body));
  expect(taken.flat().map(({ data }) => data)).toEqual(["a", LAST_EVENT]);
  expect(body.destroyed).toBe(false);
  body.end("rest");
  await new Promise((resolve) => body.once("close", resolve));
});

test("a reader that leaves closes the body", async () => {
  const body = new PassThrough();
  body.write("data: a\n\n");
  for await (const events of readEvents(body)) {
    expect(events).toMatchObject([{ data: "a" }]);
    break;
  }
  expect(body.destroyed).toBe(true);
});

test("events before a failure are yielded before the failure is thrown", async () => {
  const body = new PassThrough();
  const events = readEvents(body);
  body.write("data: a\n\n");
  expect(await events.next()).toMatchObject({ done: false, value: [{ data: "a" }] });
  body.destroy(new Error("reset"));
  await expect(events.next()).rejects.toThrow("reset");
});

test("an event beyond the size limit is refused", async () => {
  const body = new PassThrough();
  const events = readEvents(body);
  const reading = events.next();
  const piece = "x".repeat(1024 * 1024);
  body.write("data: ");
  for (let written = 0; written < 9; written++) body.write(piece);
  await expect(reading).rejects.toThrow("an event exceeds 8388608 characters");
  expect(body.destroyed).toBe(true);
});

test("the body is paused while the reader is behind", async () => {
  const body = new PassThrough();
  const events = readEvents(body);
  const first = events.next();
  body.write("data: a\n\n");
  await first;
  body.write("data: b\n\n".repeat(2_000));
  await new Promise(setImmediate);
  expect(body.isPaused()).toBe(true);
  expect((await events.next()).value).toHaveLength(2_000);
  expect(body.isPaused()).toBe(false);
  await events.return();
});
