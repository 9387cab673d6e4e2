import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { readEvents } from "./read-events.ts";

const LAST = "[DONE]";

/** The batches of events that the reader yields for a body of these pieces. */
async function readAll(pieces: readonly (string | Buffer)[]): Promise<string[][]> {
  const body = new PassThrough();
  const taken: string[][] = [];
  const reading = (async () => {
    for await (const events of readEvents(body, LAST)) taken.push([...events]);
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

test("a character that is split between two reads is decoded whole", async () => {
  const bytes = Buffer.from("data: 你好🎉\n\n");
  expect(await readAll([...bytes].map((byte) => Buffer.from([byte])))).toEqual([["你好🎉"]]);
});

test("a last event without an empty line after it is read", async () => {
  expect(await readAll(["data: a\n\ndata: b\n"])).toEqual([["a"], ["b"]]);
});

test("reading ends with the last event, and the body may end by itself", async () => {
  const body = new PassThrough();
  body.write(`data: a\n\ndata: ${LAST}\n\ndata: behind\n\n`);
  const taken = await Array.fromAsync(readEvents(body, LAST));
  expect(taken).toEqual([["a"]]);
  expect(body.destroyed).toBe(false);
  body.end("rest");
  await new Promise((resolve) => body.once("close", resolve));
});

test("a reader that leaves closes the body", async () => {
  const body = new PassThrough();
  body.write("data: a\n\n");
  for await (const events of readEvents(body, LAST)) {
    expect(events).toEqual(["a"]);
    break;
  }
  expect(body.destroyed).toBe(true);
});

test("events before a failure are yielded before the failure is thrown", async () => {
  const body = new PassThrough();
  const events = readEvents(body, LAST);
  body.write("data: a\n\n");
  expect(await events.next()).toEqual({ done: false, value: ["a"] });
  body.destroy(new Error("reset"));
  await expect(events.next()).rejects.toThrow("reset");
});

test("an event beyond the size limit is refused", async () => {
  const body = new PassThrough();
  const events = readEvents(body, LAST);
  const reading = events.next();
  const piece = "x".repeat(1024 * 1024);
  body.write("data: ");
  for (let written = 0; written < 9; written++) body.write(piece);
  await expect(reading).rejects.toMatchObject({ type: "max-buffer-size-exceeded" });
  expect(body.destroyed).toBe(true);
});

test("the body is paused while the reader is behind", async () => {
  const body = new PassThrough();
  const events = readEvents(body, LAST);
  const first = events.next();
  body.write("data: a\n\n");
  await first;
  body.write("data: b\n\n".repeat(2_000));
  await new Promise(setImmediate);
  expect(body.isPaused()).toBe(true);
  expect((await events.next()).value).toHaveLength(2_000);
  expect(body.isPaused()).toBe(false);
  await events.return(undefined);
});
