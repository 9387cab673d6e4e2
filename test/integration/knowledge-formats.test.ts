/**
 * Files over HTTP, as forms and as bodies of their own, on a real worker and a real Chroma: what they say is found
 * below its headings, and what cannot be read fails its job with a code.
 */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { ApiClient, Json } from "../support/api-client.ts";
import { startTestChroma } from "../support/chroma.ts";
import { corpusOf, upload } from "../support/corpus.ts";
import {
  createKnowledgeClient,
  documentsOf,
  type KnowledgeClient,
  newCollection,
} from "../support/knowledge-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { asciiPdf, chinesePdf, encryptedPdf, scannedPdf, textDocx, textPdf } from "../support/sample-files.ts";

let chroma: Server;
let platform: TestPlatform;
let alice: ApiClient;
let docs: KnowledgeClient;
beforeAll(async () => {
  chroma = await startTestChroma();
  platform = await startTestPlatform({ env: { CHROMA_URL: chroma.url, MAX_DOCUMENT_BYTES: "65536" } });
  ({ alice } = platform);
  docs = createKnowledgeClient(alice);
});
afterAll(async () => {
  await platform.stop();
  await chroma.stop();
});

const TEA = "Green tea is steeped at eighty degrees.";
const DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/** A body of its own. */
const post = (collection: string, bytes: Buffer | string, type: string, query = "") =>
  alice.send("POST", `${documentsOf(collection)}${query}`, {
    body: typeof bytes === "string" ? bytes : Uint8Array.from(bytes),
    headers: { "Content-Type": type },
  });
const file = (bytes: Buffer | string, name: string) =>
  new File([typeof bytes === "string" ? bytes : Uint8Array.from(bytes)], name);

test.each<[string, () => Promise<Buffer> | Buffer | string, string, string]>([
  ["pdf", () => textPdf("Drinks", TEA), "application/pdf", "Drinks"],
  ["docx", () => textDocx("Drinks", TEA), DOCX, "Drinks"],
  ["html", () => `<html><body><h1>Drinks</h1><p>${TEA}</p><script>evil()</script>`, "text/html", "Drinks"],
  ["csv", () => `drink,how\ntea,${TEA}\n`, "text/csv", ""],
  ["markdown", () => `# Drinks\n\n${TEA}`, "text/markdown; charset=utf-8", "Drinks"],
  ["text", () => Buffer.from(`\uFEFF${TEA}`, "utf16le"), "text/plain", ""],
])(
  "a body of the format %s becomes a document that is found, and the same as a form",
  async (format, make, type, heading) => {
    const collection = newCollection();
    const bytes = await make();
    const body = await docs.stored(await post(collection, bytes, type, `?source=body.${format}&metadata={"shelf":3}`));
    expect(body).toMatchObject({ source: `body.${format}`, chunks: 1 });
    // Without a media type that says anything: the bytes and the name tell.
    const names: Record<string, string> = { markdown: "md", text: "txt" };
    const name = `form.${names[format] ?? format}`;
    expect(await docs.stored(await docs.postForm(collection, { file: file(bytes, name) }))).toMatchObject({
      chunks: 1,
    });
    const { passages } = await docs.query(collection, "How hot is green tea?");
    expect(passages).toHaveLength(2);
    for (const passage of passages) {
      expect(passage).toMatchObject({ heading });
      expect(passage.content).toContain(TEA);
      expect(passage.content).not.toContain("evil");
    }
    const [latest, first] = await docs.list(collection);
    expect([latest?.format, first?.format, first?.metadata]).toEqual([format, format, { shelf: 3 }]);
    expect(await docs.stored(await post(collection, bytes, type, `?source=body.${format}`))).toMatchObject({
      unchanged: true,
    });
  },
);

test("a PDF is recognized by its bytes, whatever it is called, also one of ASCII in JSON", async () => {
  const collection = newCollection();
  await docs.stored(await post(collection, chinesePdf("红茶用热水冲泡"), "text/plain", "?source=a.txt"));
  await docs.store(collection, { text: asciiPdf("(A line of ASCII)").toString(), source: "b.md" });
  const formats = (await docs.list(collection)).map(({ source, format }) => [source, format]);
  expect(formats).toEqual([
    ["b.md", "pdf"],
    ["a.txt", "pdf"],
  ]);
  const { passages } = await docs.query(collection, "红茶");
  expect(passages[0].content).toBe("红茶用热水冲泡");
});

test("a file that cannot be read fails its job with a code, and is no document", async () => {
  const collection = newCollection();
  await docs.store(collection, { text: TEA, source: "tea" });
  const pdf = "application/pdf";
  const cases: [string, Buffer | string, string, string][] = [
    ["an encrypted PDF", await encryptedPdf(TEA), pdf, "document_encrypted"],
    ["a scanned PDF", await scannedPdf(), pdf, "document_has_no_text"],
    ["a damaged PDF", "%PDF-1.7 damaged", pdf, "document_unreadable"],
    ["a damaged DOCX", "PK\x03\x04word/", DOCX, "document_unreadable"],
    ["HTML with much text", "<p>word</p>".repeat(20_000), "text/html", "payload_too_large"],
  ];
  for (const [what, bytes, type, code] of cases) {
    const { status, body } = await post(collection, bytes, type);
    expect([what, status]).toEqual([what, 202]);
    const job = await alice.ended(body.job_id);
    expect([what, job.status, job.error.code]).toEqual([what, "failed", code]);
    expect(job.attempts ?? 1).toBe(1);
  }
  expect(await docs.list(collection)).toHaveLength(1);
});

test("an Idempotency-Key joins the same file, and refuses another one", async () => {
  const collection = newCollection();
  const bytes = await textPdf("Drinks", TEA);
  const send = (pdf: Buffer) =>
    alice.send("POST", `${documentsOf(collection)}?source=keyed`, {
      body: Uint8Array.from(pdf),
      headers: { "Content-Type": "application/pdf", "Idempotency-Key": "of-a-file" },
    });
  const [first, second] = [await send(bytes), await send(bytes)];
  expect(second.body.job_id).toBe(first.body.job_id);
  expect((await send(asciiPdf("(other)"))).body.error.code).toBe("idempotency_key_reused");
  await docs.stored(first);
});

test("of a corpus in ten formats every file is stored and found, or refused by its code", {
  timeout: 120_000,
}, async () => {
  const collection = newCollection();
  const stored: string[] = [];
  for await (const file of corpusOf(28)) {
    expect([file.name, await upload(alice, collection, file)]).toEqual([file.name, file.refusal]);
    if (file.refusal !== null) continue;
    stored.push(file.name);
    const { passages } = await docs.query(collection, file.word, { top_k: 50 });
    const own = passages.filter(({ source }: Json) => source === file.name);
    expect([file.name, own[0]?.content.includes(file.word)]).toEqual([file.name, true]);
  }
  expect((await docs.list(collection)).map(({ source }) => source).toReversed()).toEqual(stored);
});
