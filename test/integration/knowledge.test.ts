/**
 * Knowledge over HTTP, on real workers and a real Chroma: documents are uploaded as JSON and as files, listed, found,
 * replaced and deleted.
 */
import { randomUUID } from "node:crypto";
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
import { keysInRedis } from "../support/platform-state.ts";

let chroma: Server;
let platform: TestPlatform;
let alice: ApiClient;
let bob: ApiClient;
let docs: KnowledgeClient;
beforeAll(async () => {
  chroma = await startTestChroma();
  platform = await startTestPlatform({ workers: 2, env: { CHROMA_URL: chroma.url } });
  ({ alice, bob } = platform);
  docs = createKnowledgeClient(alice);
});
afterAll(async () => {
  await platform.stop();
  await chroma.stop();
});

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
  const embedding = "local-hash-2048-v2";
  expect((await alice.ended(job_id)).result.data).toEqual({
    ...{ document_id, source: "drinks.md", chunks: 2, embedding, unchanged: false, superseded: false },
  });

  const document = (await alice.get(`${documentsOf(collection)}/${document_id}`)).body;
  expect(document).toEqual({
    ...{ id: document_id, source: "drinks.md", format: "markdown", version: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ...{ bytes: 98, chunks: 2, metadata: { shelf: 3 }, job_id },
    ...{ created_at: expect.any(String), updated_at: document.created_at },
  });
  expect(await docs.list(collection)).toEqual([document]);
  const shown = (await alice.get(`/knowledge/${collection}`)).body;
  expect(shown).toEqual({ name: collection, embedding, documents: 1, chunks: 2, created_at: expect.any(String) });
  expect((await alice.get("/knowledge")).body.collections).toContainEqual(shown);

  const found = await docs.query(collection, "At how many bar is espresso made?", { top_k: 1 });
  expect(found).toEqual({
    ...{ collection, embedding },
    passages: [
      {
        ...{ document_id, source: "drinks.md", heading: "Coffee", position: 1, score: expect.any(Number) },
        content: expect.stringContaining("nine bar"),
      },
    ],
  });
  expect((await docs.query(collection, "espresso", { min_score: 0.99 })).passages).toEqual([]);
  expect((await keysInRedis(platform)).filter((name) => name.includes(":upload:"))).toEqual([]);
});

test("a Chinese text is stored and found", async () => {
  const collection = newCollection();
  const texts = { tea: "绿茶应当用八十度的水冲泡。", wall: "长城全长超过两万公里，始建于春秋时期。" };
  for (const [source, text] of Object.entries(texts)) await docs.store(collection, { text, source });
  const [best] = (await docs.query(collection, "长城有多长？")).passages;
  expect(best).toMatchObject({ source: "wall", content: texts.wall });
});

describe("a file", () => {
  test("a file is stored under its name, Markdown by its ending", async () => {
    const collection = newCollection();
    const file = new File(["\uFEFF# 标题\r\n\r\n正文在这里。\r\n"], "说明.md");
    const { document_id } = await docs.stored(await docs.postForm(collection, { file, metadata: '{"from":"form"}' }));
    const document = (await alice.get(`${documentsOf(collection)}/${document_id}`)).body;
    expect(document).toMatchObject({ source: "说明.md", format: "markdown", metadata: { from: "form" } });
    const [passage] = (await docs.query(collection, "正文")).passages;
    expect(passage).toMatchObject({ heading: "标题", content: "# 标题\n\n正文在这里。" });
  });

  test("a file with another name and format is the same document as its text in JSON", async () => {
    const collection = newCollection();
    const file = new File(["# not a heading"], "notes.txt", { type: "application/octet-stream" });
    const first = await docs.stored(await docs.postForm(collection, { file, source: "a name", format: "text" }));
    expect(first).toMatchObject({ source: "a name", unchanged: false });
    expect(await docs.store(collection, { text: "# not a heading", source: "a name" })).toEqual({
      ...first,
      unchanged: true,
    });
  });
});

describe("the same document", () => {
  test("a document that is posted twice is stored once, one after the other and at once", async () => {
    const collection = newCollection();
    const body = { text: "Once and for all." };
    const first = await docs.store(collection, body);
    expect(first.source).toMatch(/^text-[0-9a-f]{12}$/);
    expect(await docs.store(collection, body)).toEqual({ ...first, unchanged: true });
    await Promise.all(
      Array.from({ length: 6 }, () => docs.store(collection, { text: "All at once.", source: "at-once" })),
    );
    expect(await docs.list(collection)).toHaveLength(2);
    expect((await docs.query(collection, "once", { top_k: 50 })).passages).toHaveLength(2);
  });

  test("a document with new content replaces the old document of its source", async () => {
    const collection = newCollection();
    const old = await docs.store(collection, { text: "The office is in Berlin.", source: "office" });
    const renewed = await docs.store(collection, { text: "The office is in Vienna.", source: "office" });
    expect(renewed).toEqual(old);
    const { passages } = await docs.query(collection, "Where is the office?", { top_k: 50 });
    expect(passages.map(({ content }: Json) => content)).toEqual(["The office is in Vienna."]);
    const [document, ...others] = await docs.list(collection);
    expect(others).toEqual([]);
    expect(document.updated_at > document.created_at).toBe(true);
  });

  test("a document under an Idempotency-Key is one job, as JSON and as a form; another body is refused", async () => {
    const collection = newCollection();
    const headers = { "Idempotency-Key": randomUUID() };
    const post = (text: string) => alice.post(documentsOf(collection), { text, source: "keyed" }, headers);
    const answers = await Promise.all(Array.from({ length: 5 }, () => post("Only once.")));
    expect(new Set(answers.map(({ body }) => body.job_id)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.document_id)).size).toBe(1);
    expect(await docs.stored(answers[0] as Answer<Json>)).toMatchObject({ unchanged: false });
    expect((await post("Only once.")).body.status).toBe("completed");
    expect((await post("Something else.")).body.error.code).toBe("idempotency_key_reused");

    const form = () => {
      const body = new FormData();
      body.append("file", new File(["In a form."], "form.txt"));
      return alice.send("POST", documentsOf(collection), { body, headers: { "Idempotency-Key": "of-the-form" } });
    };
    const [first, second] = [await form(), await form()];
    expect(second.body.job_id).toBe(first.body.job_id);
    await docs.stored(first);
  });
});

test("documents are listed newest first, in pages", async () => {
  const collection = newCollection();
  for (const n of [1, 2, 3, 4, 5]) await docs.store(collection, { text: `Document ${n}.`, source: `doc-${n}` });
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
  test("a deleted document is in no list and in no query", async () => {
    const collection = newCollection();
    const { document_id } = await docs.store(collection, { text: "A page soon forgotten.", source: "gone" });
    await docs.store(collection, { text: "A page kept for good.", source: "kept" });
    const path = `${documentsOf(collection)}/${document_id}`;
    expect((await alice.delete(path)).status).toBe(204);
    for (const again of [await alice.get(path), await alice.delete(path)]) {
      expect([again.status, again.body.error.code]).toEqual([404, "document_not_found"]);
    }
    expect((await docs.list(collection)).map(({ source }) => source)).toEqual(["kept"]);
    const { passages } = await docs.query(collection, "forgotten page", { top_k: 50 });
    expect(passages.map(({ source }: Json) => source)).toEqual(["kept"]);
    expect(await docs.store(collection, { text: "A page soon forgotten.", source: "gone" })).toMatchObject({
      unchanged: false,
    });
  });

  test("a deleted collection has lost all its documents, and its name is free", async () => {
    const collection = newCollection();
    const { document_id } = await docs.store(collection, { text: "Old page.", source: "old" });
    expect((await alice.delete(`/knowledge/${collection}`)).status).toBe(204);
    const answers = [
      await alice.get(`/knowledge/${collection}`),
      await alice.delete(`/knowledge/${collection}`),
      await alice.get(documentsOf(collection)),
      await alice.get(`${documentsOf(collection)}/${document_id}`),
      await alice.post(`/knowledge/${collection}/query`, { query: "Old" }),
    ];
    for (const { status, body } of answers) expect([status, body.error.code]).toEqual([404, "collection_not_found"]);
    await docs.store(collection, { text: "New page.", source: "new" });
    expect((await docs.query(collection, "Old page", { top_k: 50 })).passages).toMatchObject([{ source: "new" }]);
  });
});

test("two owners have separate collections of one name", async () => {
  const collection = newCollection();
  const hers = await docs.store(collection, { text: "Alice's secret.", source: "secret" });
  const his = await createKnowledgeClient(bob).store(collection, { text: "Bob's secret.", source: "secret" });
  expect(his.document_id).not.toBe(hers.document_id);
  const { body } = await bob.post(`/knowledge/${collection}/query`, { query: "Alice's secret", top_k: 50 });
  expect(body.passages.map(({ content }: Json) => content)).toEqual(["Bob's secret."]);
  expect((await bob.get(`${documentsOf(collection)}/${hers.document_id}`)).status).toBe(404);
  expect((await bob.delete(`/knowledge/${collection}`)).status).toBe(204);
  expect(await docs.list(collection)).toHaveLength(1);
});

test("a system job cannot be called as an agent", async () => {
  const systemJobs = ["knowledge.ingest", "knowledge.query", "knowledge.delete_collection"];
  for (const id of systemJobs) {
    const answer = await alice.post(`/agents/${id}/execute`, { task: "Let me in", input: { collection: "docs" } });
    expect([answer.status, answer.body.error.code]).toEqual([404, "agent_not_found"]);
  }
});
