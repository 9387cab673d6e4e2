import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { LAST_EVENT, readEvents } from "./read-events.ts";

/** The events of a body of these pieces, those of each piece together. */
async function readAll(pieces: readonly (string | Buffer)[]): Promise<string[][]> {
  const body = new PassThrough();
  const taken: string[][] = [];
  let together: string[] = [];
  const reading = readEvents(body, (data) => void together.push(data));
  for (const piece of [...pieces, null]) {
    if (piece === null) body.end();
    else body.write(piece);
    await (piece === null ? reading : new Promise(setImmediate));
    if (together.length > 0) taken.push(together);
    together = [];
  }
  return taken;
}

/** Takes the events of a body that somebody else writes. */
function take(body: PassThrough) {
  const taken: { readonly data: string; readonly name: string | undefined }[] = [];
  return { taken, reading: readEvents(body, (data, name) => void taken.push({ data, name })) };
}

test("events are handed on with the read of the body that completes them", async () => {
  expect(await readAll(["data: a\n\ndata: b\n\nda", "ta: c\n\n"])).toEqual([["a", "b"], ["c"]]);
});

test("plain events and others may follow one another in any way", async () => {
  const plain = 'data: {"a":1}\n\n';
  expect(
    await readAll([
      "\ufeffdata: {}\n\n",
      plain + plain,
      `${plain}data: {\ndata: }\n\n`,
      `${plain}: comment\n\nid: 1\n${plain}`,
      'data: {"b"',
      `:2}\n\n${plain}`,
      `${plain}event: error\n${plain}`,
      'data: {"c":3}\n',
      "\n",
      plain,
      'data: {"d":4}\r\n\r\n',
      'data: {"e":5}',
    ]),
  ).toEqual([
    ["{}"],
    ['{"a":1}', '{"a":1}'],
    ['{"a":1}', "{\n}"],
    ['{"a":1}', '{"a":1}'],
    ['{"b":2}', '{"a":1}'],
    ['{"a":1}', '{"a":1}'],
    ['{"c":3}'],
    ['{"a":1}'],
    ['{"d":4}'],
    ['{"e":5}'],
  ]);
});

test("line ends, comments, other fields and multi-line data are read as the standard demands", async () => {
  const stream = ": keep-alive\r\n\r\nevent: x\r\nid: 1\r\ndata: a\r\ndata: b\r\n\r\n:\n\ndata:c\n\n";
  expect(await readAll([stream])).toEqual([["a\nb", "c"]]);
});

test("an event keeps its name, and a field of the name error is an event", async () => {
  const body = new PassThrough();
  const { taken, reading } = take(body);
  body.end('event: error\ndata: {"a":1}\n\nerror: {"b":2}\n\n');
  await reading;
  expect(taken).toEqual([
    { name: "error", data: '{"a":1}' },
    { name: "error", data: '{"b":2}' },
  ]);
});

test("a body without events is one event: JSON, or somebody's words", async () => {
  expect(await readAll(['{\n  "a":\n 1}'])).toEqual([['{\n  "a":\n 1}', LAST_EVENT]]);
  expect(await readAll(["no healthy ", "upstream"])).toEqual([["no healthy upstream"]]);
  expect(await readAll([": only a comment\n\n"])).toEqual([]);
});

test("a character that is split between two reads is decoded whole", async () => {
  const bytes = Buffer.from("data: {你好🎉\n\n".repeat(3));
  for (const size of [1, 2, 3, 5]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
      bytes.subarray(at * size, (at + 1) * size),
    );
    expect((await readAll(pieces)).flat()).toEqual(["{你好🎉", "{你好🎉", "{你好🎉"]);
  }
});

test("a last event without an empty line after it is read", async () => {
  expect((await readAll(["data: a\n\ndata: b\n"])).flat()).toEqual(["a", "b"]);
});

test("reading ends with the last event, and the body may end by itself", async () => {
  const body = new PassThrough();
  body.write(`data: a\n\ndata: ${LAST_EVENT}\n\ndata: behind\n\n`);
  const { taken, reading } = take(body);
  await reading;
  expect(taken.map(({ data }) => data)).toEqual(["a", LAST_EVENT]);
  expect(body.destroyed).toBe(false);
  body.end("rest");
  await new Promise((resolve) => body.once("close", resolve));
});

test("reading ends when the body is destroyed, and destroys it when the reader throws", async () => {
  const body = new PassThrough();
  const { reading } = take(body);
  body.destroy();
  await reading;
  const other = new PassThrough();
  other.write("data: a\n\ndata: b\n\n");
  const thrown = new Error("enough");
  const throws = readEvents(other, () => {
    throw thrown;
  });
  await expect(throws).rejects.toBe(thrown);
  expect(other.destroyed).toBe(true);
});

test("events before a failure are handed on before it", async () => {
  const body = new PassThrough();
  const { taken, reading } = take(body);
  body.write("data: a\n\n");
  await new Promise(setImmediate);
  body.destroy(new Error("reset"));
  await expect(reading).rejects.toThrow("reset");
  expect(taken).toMatchObject([{ data: "a" }]);
});

test("an event beyond the size limit is refused", async () => {
  const body = new PassThrough();
  const { reading } = take(body);
  const piece = "x".repeat(1024 * 1024);
  body.write("data: ");
  for (let written = 0; written < 9; written++) body.write(piece);
  await expect(reading).rejects.toThrow("an event exceeds 8388608 characters");
  expect(body.destroyed).toBe(true);
});
