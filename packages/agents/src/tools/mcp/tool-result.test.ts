import { expect, test } from "vitest";
import { readResult } from "./tool-result.ts";

const text = (...texts: string[]) => texts.map((each) => ({ type: "text", text: each }));
const failure = (result: object) => readResult({ ...result, isError: true });

test("what a result has in structured form follows its text, unless the text says the same", async () => {
  const structuredContent = { rows: [{ id: 1 }], total: 1 };
  const same = `{ "total": 1,\n "rows": [{ "id": 1 }] }`;
  expect(await readResult({ content: text("One row."), structuredContent })).toBe(
    'One row.\n[the structured result] {"rows":[{"id":1}],"total":1}',
  );
  expect(await readResult({ content: text(same), structuredContent })).toBe(same);
  expect(await readResult({ content: text("Found:", same), structuredContent })).toBe(`Found:\n${same}`);
  expect(await readResult({ content: [], structuredContent })).toEqual(structuredContent);
});

test("a value that a server gives as text and wraps as its structured result is given once", async () => {
  expect(await readResult({ content: text("hello"), structuredContent: { result: "hello" } })).toBe("hello");
  expect(await readResult({ content: text("42"), structuredContent: { result: 42 } })).toBe("42");
  expect(await readResult({ content: text("a", "b"), structuredContent: { result: ["a", "b"] } })).toBe("a\nb");
  expect(await readResult({ content: text('{"a":1}', "2"), structuredContent: { result: [{ a: 1 }, 2] } })).toBe(
    '{"a":1}\n2',
  );
});

test("a failure is told with all that the server says of it", async () => {
  await expect(failure({ content: [], structuredContent: { reason: "no money" } })).rejects.toThrow(
    /^\{"reason":"no money"\}$/,
  );
  await expect(failure({ structuredContent: { reason: "no money" } })).rejects.toThrow("no money");
  await expect(failure({ content: text("Failed."), structuredContent: { code: 7 } })).rejects.toThrow(
    'Failed.\n[the structured result] {"code":7}',
  );
  await expect(failure({ content: null, structuredContent: null })).rejects.toThrow("did not say why");
  await expect(failure({ error: "no disk" })).rejects.toThrow("no disk");
});

test("content that is no text is named with its kind, type, size and address", async () => {
  const data = Buffer.alloc(12_345).toString("base64");
  const content = [
    { type: "image", data, mimeType: "image/png", annotations: null, _meta: null },
    { type: "image", data: null, mimeType: null },
    { type: "audio", data: "", mimeType: "audio/wav" },
    { type: "resource_link", uri: "file:///c.txt", name: null, mimeType: "text/plain", size: 70, description: null },
    { type: "resource_link", uri: "file:///d", name: "d", size: null, description: "more" },
    { type: "resource", resource: { uri: "file:///a.txt", mimeType: null, text: "inside" } },
    { type: "resource", resource: { uri: "file:///b.bin", blob: data } },
    { type: "resource", resource: { uri: "file:///e", mimeType: "text/plain", text: null } },
    { type: "video", url: "https://example.com/v", mimeType: "video/mp4" },
    { type: "text", text: null },
    { text: "untyped" },
    "bare",
    7,
    null,
  ];
  expect(await readResult({ content })).toBe(
    [
      "[image image/png, 12 kB]",
      "[image of unknown type, without data]",
      "[audio audio/wav, 0 bytes]",
      "[resource link at file:///c.txt (text/plain, 70 bytes)]",
      "[resource d at file:///d: more]",
      "[resource file:///a.txt of unknown type]\ninside",
      "[resource file:///b.bin of unknown type, 12 kB]",
      "[resource file:///e text/plain, without content]",
      '[content of an unknown kind: {"type":"video","url":"https://example.com/v","mimeType":"video/mp4"}]',
      '[content of an unknown kind: {"type":"text","text":null}]',
      "untyped",
      "bare",
      "7",
    ].join("\n"),
  );
  const long = await readResult({ content: [{ type: "video", data: "x".repeat(100_000) }] });
  expect(String(long).length).toBeLessThan(1_100);
});

test.each<[result: unknown, read: unknown]>([
  [{ content: "all of it" }, "all of it"],
  [{ content: { type: "text", text: "one" } }, "one"],
  [{ toolResult: { old: true } }, { old: true }],
  [{ answer: 42 }, { answer: 42 }],
  [{ content: null, structuredContent: { a: 1 }, isError: null }, { a: 1 }],
  [{ content: [] }, undefined],
  [{}, undefined],
])("a result like %j is read", async (result, read) => {
  expect(await readResult(result)).toEqual(read);
});

test("a structured result that does not fit the tool's schema is given with the problem", async () => {
  const check = async (value: unknown) => (JSON.stringify(value) === '{"n":1}' ? null : "n must be number");
  expect(await readResult({ content: [], structuredContent: { n: 1 } }, check)).toEqual({ n: 1 });
  expect(await readResult({ content: [], structuredContent: { n: "1" } }, check)).toBe(
    '{"n":"1"}\n[the structured result does not fit the tool\'s own schema: n must be number]',
  );
  expect(await readResult({ content: text("one") }, check)).toMatch(/^one\n\[.*there is none\]$/);
  const busy = () => Promise.reject(new Error("busy"));
  expect(await readResult({ content: [], structuredContent: { n: 1 } }, busy)).toEqual({ n: 1 });
});
