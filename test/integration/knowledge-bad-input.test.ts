/** Bad bodies of the knowledge routes are refused before a job is accepted, and the size limit is that of the text. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { Answer, ApiClient, Json } from "../support/api-client.ts";
import { startTestChroma } from "../support/chroma.ts";
import {
  createKnowledgeClient,
  documentsOf,
  type KnowledgeClient,
  newCollection,
} from "../support/knowledge-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { countQueuedJobs, keysInRedis } from "../support/platform-state.ts";
import { compoundFile, PNG, RTF, zipOf } from "../support/sample-files.ts";

const MAX_DOCUMENT_BYTES = 64 * 1_024;

let chroma: Server;
let platform: TestPlatform;
let alice: ApiClient;
let docs: KnowledgeClient;
beforeAll(async () => {
  chroma = await startTestChroma();
  platform = await startTestPlatform({
    env: { CHROMA_URL: chroma.url, MAX_DOCUMENT_BYTES: String(MAX_DOCUMENT_BYTES) },
  });
  ({ alice } = platform);
  docs = createKnowledgeClient(alice);
});
afterAll(async () => {
  await platform.stop();
  await chroma.stop();
});

describe("bad bodies", () => {
  let jobsBefore: number;
  beforeAll(async () => {
    jobsBefore = await countQueuedJobs(platform);
  });

  const json = (body: unknown) => () => alice.post(documentsOf("refused"), body);
  const form = (parts: Record<string, string | File>) => () => docs.postForm("refused", parts);
  const text = (content: string | Uint8Array<ArrayBuffer>, name = "a.txt") => new File([content], name);
  const raw =
    (body: string | Uint8Array<ArrayBuffer>, type = "application/json") =>
    () =>
      alice.send("POST", documentsOf("refused"), { body, headers: { "Content-Type": type } });
  const latin1 = new Uint8Array([0x7b, 0x22, 0x74, 0x65, 0x78, 0x74, 0x22, 0x3a, 0x22, 0xe9, 0x22, 0x7d]);
  const large = "x".repeat(MAX_DOCUMENT_BYTES + 1);
  const metadata = { fill: "x".repeat(20_000) };
  const cases: [string, () => Promise<Answer<Json>>, number, string, string?][] = [
    ["no text", json({}), 400, "invalid_request", "text"],
    ["an empty text", json({ text: " \n" }), 400, "invalid_request", "text"],
    ["a text with NUL", json({ text: "a\0b" }), 400, "invalid_request", "text"],
    ["a text that is not a string", json({ text: 5 }), 400, "invalid_request", "text"],
    ["an unknown field", json({ text: "a", title: "b" }), 400, "invalid_request", "title"],
    ["an unknown format", json({ text: "a", format: "odt" }), 400, "invalid_request", "format"],
    ["a blank source", json({ text: "a", source: " " }), 400, "invalid_request", "source"],
    ["a source too long", json({ text: "a", source: "s".repeat(301) }), 400, "invalid_request", "source"],
    ["a source with a line break", json({ text: "a", source: "a\nb" }), 400, "invalid_request", "source"],
    ["metadata as list", json({ text: "a", metadata: [] }), 400, "invalid_request", "metadata"],
    [
      "metadata of too many bytes",
      json({ text: "a", metadata: { 长城: "长".repeat(6_000) } }),
      400,
      "invalid_request",
      "metadata",
    ],
    ["metadata too large", json({ text: "a", metadata }), 400, "invalid_request", "metadata"],
    ["broken JSON", raw('{"text":'), 400, "invalid_json"],
    ["JSON in another encoding", raw(latin1), 415, "unsupported_encoding"],
    ["a text too large", json({ text: large }), 413, "payload_too_large"],
    ["a body far too large", json({ text: large.repeat(4) }), 413, "payload_too_large"],
    ["a file too large", form({ file: text(large) }), 413, "payload_too_large"],
    ["a form without file", form({ source: "a" }), 400, "invalid_request", "file"],
    ["a file under another name", form({ document: text("a") }), 400, "invalid_request", "document"],
    ["two files", () => twoFiles(), 400, "invalid_request"],
    ["an empty file", form({ file: text("") }), 400, "invalid_request", "text"],
    ["a file with NUL", form({ file: text("a\0b") }), 400, "invalid_request", "text"],
    ["a charset that nobody knows", raw("a", "text/plain; charset=klingon"), 415, "unsupported_encoding"],
    ["a text that is no PDF", raw("a", "application/pdf"), 422, "document_unreadable"],
    ["a text said to be a PDF", json({ text: "a", format: "pdf" }), 422, "document_unreadable"],
    ["a raw body without content", raw("", "text/plain"), 400, "invalid_request", "text"],
    ["a raw text too large", raw(large, "text/plain"), 413, "payload_too_large"],
    ["RTF in JSON", json({ text: RTF.toString() }), 415, "document_format_unsupported"],
    ["RTF as a file", form({ file: text(Uint8Array.from(RTF), "a.txt") }), 415, "document_format_unsupported"],
    ["a picture", raw(Uint8Array.from(PNG), "image/png"), 415, "document_format_unsupported"],
    ["a picture said to be a PDF", raw(Uint8Array.from(PNG), "application/pdf"), 415, "document_format_unsupported"],
    ["a ZIP", raw(Uint8Array.from(zipOf({ "a.txt": "a" })), "application/zip"), 415, "document_format_unsupported"],
    ["XLSX", raw(Uint8Array.from(zipOf({ "xl/a.xml": "" })), "text/plain"), 415, "document_format_unsupported"],
    ["a legacy DOC", raw(Uint8Array.from(compoundFile()), "text/plain"), 415, "document_format_unsupported"],
    [
      "an encrypted DOCX",
      raw(Uint8Array.from(compoundFile("EncryptedPackage")), "application/octet-stream"),
      422,
      "document_encrypted",
    ],
    ["metadata that is not JSON", form({ file: text("a"), metadata: "{" }), 400, "invalid_request", "metadata"],
    ["an unknown field of a form", form({ file: text("a"), title: "b" }), 400, "invalid_request", "title"],
    ["a form cut off", raw("--b\r\nContent-Dis", "multipart/form-data; boundary=b"), 400, "invalid_request"],
    ["a form without boundary", raw("x", "multipart/form-data"), 400, "invalid_request"],
    ["a bad collection name", () => alice.post(documentsOf("-a"), { text: "a" }), 400, "invalid_request", "collection"],
    ["a query without text", () => alice.post("/knowledge/refused/query", {}), 400, "invalid_request", "query"],
    [
      "a query for too many",
      () => alice.post("/knowledge/refused/query", { query: "a", top_k: 51 }),
      400,
      "invalid_request",
      "top_k",
    ],
    [
      "a query of no collection",
      () => alice.post("/knowledge/refused/query", { query: "a" }),
      404,
      "collection_not_found",
    ],
    ["a document that is not a UUID", () => alice.get(`${documentsOf("refused")}/17`), 400, "invalid_request", "id"],
  ];

  async function twoFiles() {
    const body = new FormData();
    for (const name of ["a", "b"]) body.append("file", text(name, `${name}.txt`));
    return alice.send("POST", documentsOf("refused"), { body });
  }

  test.each(cases)("%s is refused", async (_what, ask, status, code, param) => {
    const { body, ...answer } = await ask();
    expect([answer.status, body.error?.code, body.error?.param]).toEqual([status, code, param ?? null]);
    if (status === 413) expect(body.error.message).toContain(String(MAX_DOCUMENT_BYTES));
  });

  test("bad bodies leave no collection, no upload and no job", async () => {
    expect((await alice.get("/knowledge/refused")).status).toBe(404);
    expect((await keysInRedis(platform)).filter((name) => name.includes(":upload:"))).toEqual([]);
    expect(await countQueuedJobs(platform)).toBe(jobsBefore);
  });

  test("the largest allowed document is accepted when its JSON is escaped to more bytes", async () => {
    const collection = newCollection();
    const words = "长城 ".repeat(MAX_DOCUMENT_BYTES).slice(0, Math.floor(MAX_DOCUMENT_BYTES / 7) * 3);
    const escaped = JSON.stringify({ text: words, source: "large" }).replace(
      /[^\x20-\x7e]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16)}`,
    );
    expect(Buffer.byteLength(escaped)).toBeGreaterThan(MAX_DOCUMENT_BYTES);
    expect((await docs.stored(await alice.post(documentsOf(collection), escaped))).chunks).toBeGreaterThan(50);
  });
});
