/** How many collections, documents and chunks one owner may have, on real workers and a real Chroma. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { Answer, ApiClient, Json } from "../support/api-client.ts";
import { startTestChroma } from "../support/chroma.ts";
import { createKnowledgeClient, documentsOf, newCollection } from "../support/knowledge-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

const COLLECTIONS = 3;
const DOCUMENTS = 6;
const CHUNKS = 40;

let chroma: Server;
let platform: TestPlatform;
beforeAll(async () => {
  chroma = await startTestChroma();
  platform = await startTestPlatform({
    workers: 2,
    env: {
      CHROMA_URL: chroma.url,
      MAX_COLLECTIONS_PER_OWNER: String(COLLECTIONS),
      MAX_DOCUMENTS_PER_OWNER: String(DOCUMENTS),
      MAX_CHUNKS_PER_OWNER: String(CHUNKS),
    },
  });
});
afterAll(async () => {
  await platform.stop();
  await chroma.stop();
});

const EXCEEDED = { type: "limit_error", code: "knowledge_share_exceeded" };

function expectRefused({ status, body, headers }: Answer<Json>, share: string): void {
  expect([status, body.error]).toEqual([429, expect.objectContaining({ ...EXCEEDED, share })]);
  expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
}

/** Posts all at once; the errors of those that were refused, at once or by their job. */
async function refusedOf(client: ApiClient, posts: readonly (readonly [string, object])[]): Promise<Json[]> {
  const answers = await Promise.all(posts.map(([collection, body]) => client.post(documentsOf(collection), body)));
  const errors = await Promise.all(
    answers.map(async ({ status, body }) => (status === 202 ? (await client.ended(body.job_id)).error : body.error)),
  );
  return errors.filter((error) => error !== null);
}

async function deleteAll(client: ApiClient): Promise<void> {
  for (const { name } of (await client.get("/knowledge")).body.collections) {
    const { status, body } = await client.delete(`/knowledge/${name}`);
    if (status === 202) await client.ended(body.job_id);
  }
}

const sections = (count: number, word: string) =>
  Array.from({ length: count }, (_, at) => `# Section ${at}\n\nHere ${word} is described, for the ${at}th time.`).join(
    "\n\n",
  );

test("of many new collections at once an owner gets his share, a further one is refused, and others are not affected", async () => {
  const { alice, bob } = platform;
  const posts = Array.from(
    { length: 12 },
    (_, at) => [newCollection(), { source: "a.md", text: `Text ${at}` }] as const,
  );
  const refused = await refusedOf(alice, posts);
  expect(refused).toHaveLength(12 - COLLECTIONS);
  for (const error of refused) expect(error).toMatchObject({ code: "knowledge_share_exceeded" });
  const { collections } = (await alice.get("/knowledge")).body;
  expect(collections).toHaveLength(COLLECTIONS);

  expectRefused(await alice.post(documentsOf(newCollection()), { text: "One more" }), "collections");
  await createKnowledgeClient(bob).store(newCollection(), { text: "Of bob" });
  await createKnowledgeClient(alice).store(collections[0].name, {
    source: "b.md",
    text: "In a collection that exists",
  });

  await deleteAll(alice);
  await createKnowledgeClient(alice).store(newCollection(), { text: "There is room again" });
  await deleteAll(alice);
  await deleteAll(bob);
});

test("of many documents at once an owner gets his share, and those that are there may be stored again", async () => {
  const { alice } = platform;
  const collection = newCollection();
  const posts = Array.from(
    { length: 15 },
    (_, at) => [collection, { source: `${at}.md`, text: `Text ${at}` }] as const,
  );
  const refused = await refusedOf(alice, posts);
  expect(refused).toHaveLength(15 - DOCUMENTS);
  const docs = createKnowledgeClient(alice);
  const kept = await docs.list(collection);
  expect(kept).toHaveLength(DOCUMENTS);
  expectRefused(await alice.post(documentsOf(collection), { source: "more.md", text: "More" }), "documents");
  await docs.store(collection, { source: kept[0]?.source, text: "Newer" });
  await deleteAll(alice);
});

test("of many chunks at once an owner gets his share, and what was refused leaves no chunk behind", async () => {
  const { alice } = platform;
  const collection = newCollection();
  const posts = Array.from(
    { length: 4 },
    (_, at) => [collection, { source: `${at}.md`, text: sections(15, `word${at}`) }] as const,
  );
  const refused = await refusedOf(alice, posts);
  expect(refused.map(({ code }) => code)).toEqual(Array(2).fill("knowledge_share_exceeded"));
  const { chunks } = (await alice.get(`/knowledge/${collection}`)).body;
  expect(chunks).toBe(30);
  const docs = createKnowledgeClient(alice);
  expect(await docs.list(collection)).toHaveLength(2);
  const [large] = await refusedOf(alice, [[collection, { source: "large.md", text: sections(11, "large") }]]);
  expect(large).toMatchObject({ code: "knowledge_share_exceeded" });
  await docs.store(collection, { source: "fits.md", text: sections(10, "fits") });
  expectRefused(await alice.post(documentsOf(collection), { source: "more.md", text: "More" }), "chunks");
  const { passages } = await docs.query(collection, "large", { top_k: 50 });
  expect(passages.filter(({ source }: Json) => source === "large.md")).toEqual([]);
  await deleteAll(alice);
});
