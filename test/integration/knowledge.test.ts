/**
 * Knowledge over HTTP, on real workers and a real Chroma: documents are uploaded as JSON and as files, listed, found,
 * replaced and deleted; bad bodies are refused before a job is accepted.
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { Answer, ApiClient, Json } from "../support/api-client.ts";
import { startTestChroma } from "../support/chroma.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { countQueuedJobs, keysInRedis } from "../support/platform-state.ts";

const MAX_DOCUMENT_BYTES = 64 * 1_024;

let chroma: Server;
let platform: TestPlatform;
let alice: ApiClient;
let bob: ApiClient;
beforeAll(async () => {
  chroma = await startTestChroma();
  platform = await startTestPlatform({
    workers: 2,
    env: { CHROMA_URL: chroma.url, MAX_DOCUMENT_BYTES: String(MAX_DOCUMENT_BYTES) },
  });
  ({ alice, bob } = platform);
});
afterAll(async () => {
  await platform.stop();
  await chroma.stop();
});

/** Every test has a collection of its own. */
const newCollection = () => `docs-${randomUUID().slice(0, 8)}`;
const documentsOf = (collection: string) => `/knowledge/${collection}/documents`;

function postForm(collection: string, parts: Record<string, string | File>, client = alice): Promise<Answer<Json>> {
  const form = new FormData();
  for (const [name, value] of Object.entries(parts)) form.append(name, value);
  return client.send("POST", documentsOf(collection), { body: form });
}

/** The result of the ingest. */
async function stored({ status, body }: Answer<Json>, client = alice): Promise<Json> {
  expect([status, body.error]).toEqual([202, undefined]);
  const job = await client.ended(body.job_id);
  expect(job).toMatchObject({ status: "completed", agent_type: "knowledge.ingest", error: null });
  return job.result.data;
}

const store = async (collection: string, body: object, client = alice) =>
  stored(await client.post(documentsOf(collection), body), client);

const query = async (collection: string, text: string, more: object = {}) => {
  const { status, body } = await alice.post(`/knowledge/${collection}/query`, { query: text, ...more });
  expect([status, body.error]).toEqual([200, undefined]);
  return body;
};

const list = async (collection: string): Promise<Json[]> => (await alice.get(documentsOf(collection))).body.documents;

test("a text becomes a document: accepted with its ids, reported on its stream, listed, shown and found", async () => {
  const collection = newCollection();
  const accepted = await alice.post(
    documentsOf(collection),
    {
      text: "# Tea\n\nGreen tea is steeped at eighty degrees.\n\n# Coffee\n\nEspresso is pressed through at nine bar.",
      source: "drinks.md",
      metadata: { shelf: 3 },
    },
    { "Accept-Language": "en" },
  );
  const { job_id, document_id } = accepted.body;
  expect(accepted.status).toBe(202);
  expect(accepted.body).toEqual({
    ...{ job_id: expect.any(String), document_id: expect.any(String), status: "queued" },
    links: {
      self: `/api/v1/jobs/${job_id}`,
      events: `/api/v1/jobs/${job_id}/events`,
      cancel: `/api/v1/jobs/${job_id}/cancel`,
    },
  });
  expect(accepted.headers.get("location")).toBe(`/api/v1/jobs/${job_id}`);
  expect(accepted.headers.get("x-job-id")).toBe(job_id);

  const events = await (await alice.follow(job_id)).all();
  const progress = events.filter(({ data }) => data.type === "progress").map(({ data }) => data);
  expect(progress.map(({ progress: share }) => share)).toEqual([0, 1]);
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  const embedding = "local-hash-2048-v1";
  expect((await alice.ended(job_id)).result.data).toEqual({
    ...{ document_id, source: "drinks.md", chunks: 2, embedding, unchanged: false, superseded: false },
  });

  const document = (await alice.get(`${documentsOf(collection)}/${document_id}`)).body;
  expect(document).toEqual({
    ...{ id: document_id, source: "drinks.md", format: "markdown", version: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ...{ bytes: 98, chunks: 2, metadata: { shelf: 3 }, job_id },
    ...{ created_at: expect.any(String), updated_at: document.created_at },
  });
  expect(await list(collection)).toEqual([document]);
  const shown = (await alice.get(`/knowledge/${collection}`)).body;
  expect(shown).toEqual({ name: collection, embedding, documents: 1, chunks: 2, created_at: expect.any(String) });
  expect((await alice.get("/knowledge")).body.collections).toContainEqual(shown);

  const found = await query(collection, "At how many bar is espresso made?", { top_k: 1 });
  expect(found).toEqual({
    ...{ collection, embedding },
    passages: [
      {
        ...{ document_id, source: "drinks.md", heading: "Coffee", position: 1, score: expect.any(Number) },
        content: expect.stringContaining("nine bar"),
      },
    ],
  });
  expect((await query(collection, "espresso", { min_score: 0.99 })).passages).toEqual([]);
  expect((await keysInRedis(platform)).filter((name) => name.includes(":upload:"))).toEqual([]);
});

test("a Chinese text is stored and found", async () => {
  const collection = newCollection();
  const texts = { tea: "绿茶应当用八十度的水冲泡。", wall: "长城全长超过两万公里，始建于春秋时期。" };
  for (const [source, text] of Object.entries(texts)) await store(collection, { text, source });
  const [best] = (await query(collection, "长城有多长？")).passages;
  expect(best).toMatchObject({ source: "wall", content: texts.wall });
});

describe("a file", () => {
  test("is stored under its name, Markdown by its ending", async () => {
    const collection = newCollection();
    const file = new File(["\uFEFF# 标题\r\n\r\n正文在这里。\r\n"], "说明.md");
    const { document_id } = await stored(await postForm(collection, { file, metadata: '{"from":"form"}' }));
    const document = (await alice.get(`${documentsOf(collection)}/${document_id}`)).body;
    expect(document).toMatchObject({ source: "说明.md", format: "markdown", metadata: { from: "form" } });
    const [passage] = (await query(collection, "正文")).passages;
    expect(passage).toMatchObject({ heading: "标题", content: "# 标题\n\n正文在这里。" });
  });

  test("with another name and format is the same document as its text in JSON", async () => {
    const collection = newCollection();
    const file = new File(["# not a heading"], "notes.txt", { type: "application/octet-stream" });
    const first = await stored(await postForm(collection, { file, source: "a name", format: "text" }));
    expect(first).toMatchObject({ source: "a name", unchanged: false });
    expect(await store(collection, { text: "# not a heading", source: "a name" })).toEqual({
      ...first,
      unchanged: true,
    });
  });
});

describe("the same document", () => {
  test("stored twice is stored once, one after the other and at once", async () => {
    const collection = newCollection();
    const body = { text: "Once and for all." };
    const first = await store(collection, body);
    expect(first.source).toMatch(/^text-[0-9a-f]{12}$/);
    expect(await store(collection, body)).toEqual({ ...first, unchanged: true });
    await Promise.all(Array.from({ length: 6 }, () => store(collection, { text: "All at once.", source: "at-once" })));
    expect(await list(collection)).toHaveLength(2);
    expect((await query(collection, "once", { top_k: 50 })).passages).toHaveLength(2);
  });

  test("with new content replaces the old", async () => {
    const collection = newCollection();
    const old = await store(collection, { text: "The office is in Berlin.", source: "office" });
    const renewed = await store(collection, { text: "The office is in Vienna.", source: "office" });
    expect(renewed).toEqual(old);
    const { passages } = await query(collection, "Where is the office?", { top_k: 50 });
    expect(passages.map(({ content }: Json) => content)).toEqual(["The office is in Vienna."]);
    const [document, ...others] = await list(collection);
    expect(others).toEqual([]);
    expect(document.updated_at > document.created_at).toBe(true);
  });

  test("is one job under an Idempotency-Key, as JSON and as a form; another body is refused", async () => {
    const collection = newCollection();
    const headers = { "Idempotency-Key": randomUUID() };
    const post = (text: string) => alice.post(documentsOf(collection), { text, source: "keyed" }, headers);
    const answers = await Promise.all(Array.from({ length: 5 }, () => post("Only once.")));
    expect(new Set(answers.map(({ body }) => body.job_id)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.document_id)).size).toBe(1);
    expect(await stored(answers[0] as Answer<Json>)).toMatchObject({ unchanged: false });
    expect((await post("Only once.")).body.status).toBe("completed");
    expect((await post("Something else.")).body.error.code).toBe("idempotency_key_reused");

    const form = () => {
      const body = new FormData();
      body.append("file", new File(["In a form."], "form.txt"));
      return alice.send("POST", documentsOf(collection), { body, headers: { "Idempotency-Key": "of-the-form" } });
    };
    const [first, second] = [await form(), await form()];
    expect(second.body.job_id).toBe(first.body.job_id);
    await stored(first);
  });
});

test("documents are listed newest first, in pages", async () => {
  const collection = newCollection();
  for (const n of [1, 2, 3, 4, 5]) await store(collection, { text: `Document ${n}.`, source: `doc-${n}` });
  const sources: string[] = [];
  for (let before = "", pages = 0; pages < 4; pages++) {
    const { body } = await alice.get(`${documentsOf(collection)}?limit=2${before}`);
    sources.push(...body.documents.map(({ source }: Json) => source));
    if (body.next === null) break;
    before = `&before=${body.next}`;
  }
  expect(sources).toEqual(["doc-5", "doc-4", "doc-3", "doc-2", "doc-1"]);
});

describe("deleting", () => {
  test("a document removes it from the list and from queries", async () => {
    const collection = newCollection();
    const { document_id } = await store(collection, { text: "A page soon forgotten.", source: "gone" });
    await store(collection, { text: "A page kept for good.", source: "kept" });
    const path = `${documentsOf(collection)}/${document_id}`;
    expect((await alice.delete(path)).status).toBe(204);
    for (const again of [await alice.get(path), await alice.delete(path)]) {
      expect([again.status, again.body.error.code]).toEqual([404, "document_not_found"]);
    }
    expect((await list(collection)).map(({ source }) => source)).toEqual(["kept"]);
    const { passages } = await query(collection, "forgotten page", { top_k: 50 });
    expect(passages.map(({ source }: Json) => source)).toEqual(["kept"]);
    expect(await store(collection, { text: "A page soon forgotten.", source: "gone" })).toMatchObject({
      unchanged: false,
    });
  });

  test("a collection deletes all its documents and frees its name", async () => {
    const collection = newCollection();
    const { document_id } = await store(collection, { text: "Old page.", source: "old" });
    expect((await alice.delete(`/knowledge/${collection}`)).status).toBe(204);
    const answers = [
      await alice.get(`/knowledge/${collection}`),
      await alice.delete(`/knowledge/${collection}`),
      await alice.get(documentsOf(collection)),
      await alice.get(`${documentsOf(collection)}/${document_id}`),
      await alice.post(`/knowledge/${collection}/query`, { query: "Old" }),
    ];
    for (const { status, body } of answers) expect([status, body.error.code]).toEqual([404, "collection_not_found"]);
    await store(collection, { text: "New page.", source: "new" });
    expect((await query(collection, "Old page", { top_k: 50 })).passages).toMatchObject([{ source: "new" }]);
  });
});

test("two owners have separate collections of one name", async () => {
  const collection = newCollection();
  const hers = await store(collection, { text: "Alice's secret.", source: "secret" });
  const his = await store(collection, { text: "Bob's secret.", source: "secret" }, bob);
  expect(his.document_id).not.toBe(hers.document_id);
  const { body } = await bob.post(`/knowledge/${collection}/query`, { query: "Alice's secret", top_k: 50 });
  expect(body.passages.map(({ content }: Json) => content)).toEqual(["Bob's secret."]);
  expect((await bob.get(`${documentsOf(collection)}/${hers.document_id}`)).status).toBe(404);
  expect((await bob.delete(`/knowledge/${collection}`)).status).toBe(204);
  expect(await list(collection)).toHaveLength(1);
});

test("a system job cannot be called as an agent", async () => {
  const systemJobs = ["knowledge.ingest", "knowledge.query", "knowledge.delete_collection"];
  for (const id of systemJobs) {
    const answer = await alice.post(`/agents/${id}/execute`, { task: "Let me in", input: { collection: "docs" } });
    expect([answer.status, answer.body.error.code]).toEqual([404, "agent_not_found"]);
  }
});

describe("bad bodies", () => {
  let jobsBefore: number;
  beforeAll(async () => {
    jobsBefore = await countQueuedJobs(platform);
  });

  const json = (body: unknown) => () => alice.post(documentsOf("refused"), body);
  const form = (parts: Record<string, string | File>) => () => postForm("refused", parts);
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
    ["an unknown format", json({ text: "a", format: "pdf" }), 400, "invalid_request", "format"],
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
    ["a file in another encoding", form({ file: text(new Uint8Array([0x63, 0xe9])) }), 415, "unsupported_encoding"],
    ["a PDF", form({ file: text(new Uint8Array([0x25, 0x50, 0xff, 0xfe]), "a.pdf") }), 415, "unsupported_encoding"],
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
    expect((await stored(await alice.post(documentsOf(collection), escaped))).chunks).toBeGreaterThan(50);
  });
});
