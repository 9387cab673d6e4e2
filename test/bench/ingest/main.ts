/**
 * `npm run ingest`: how fast documents are stored, on an API and a worker process, a Redis and a Chroma of its own,
 * beside the time that Chroma alone takes for the same chunks in the same run.
 */
import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import { chunkDocument } from "@agent-paas/agents/retrieval/chunk-document.ts";
import { createLocalEmbedder } from "@agent-paas/agents/retrieval/local-embedder.ts";
import type { ApiClient } from "../../support/api-client.ts";
import { startTestChroma } from "../../support/chroma.ts";
import { startTestPlatform } from "../../support/platform.ts";
import { startPrivateRedis } from "../../support/redis.ts";
import { markdownOf } from "./documents.ts";
import { memoryOf } from "./memory.ts";

const [documents = 200, atOnce = 8, kilobytes = 1_024] = process.argv.slice(2).map(Number);
const SMALL_CHARS = 1_000;
/** For a client that loads nothing but its own documents. */
const ENDS_WITHIN_MS = 600_000;

const seconds = (since: number) => (performance.now() - since) / 1_000;

async function each<T>(items: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const next = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: most }, next));
}

/** The chunks of each text, embedded as an ingest does, put into Chroma as fast as it takes them. */
async function chromaAlone(url: string, texts: readonly string[], name: string): Promise<number> {
  const store = createChromaStore({ url });
  const embedder = createLocalEmbedder();
  const { signal } = new AbortController();
  const batches = await Promise.all(
    texts.map(async (text, at) => {
      const chunks = await chunkDocument(text, "markdown");
      const embeddings = await embedder.embed(
        chunks.map(({ content }) => content),
        signal,
      );
      return chunks.map((chunk, index) => ({
        ...{ id: `${at}:${index}`, documentId: `${at}`, version: "1", source: `${at}`, ...chunk },
        embedding: embeddings[index] ?? [],
      }));
    }),
  );
  const begun = performance.now();
  for (const batch of batches) {
    for (let at = 0; at < batch.length; at += 64) await store.upsert(name, batch.slice(at, at + 64), signal);
  }
  return seconds(begun);
}

async function store(client: ApiClient, collection: string, source: string, text: string): Promise<string> {
  const { status, body } = await client.post(`/knowledge/${collection}/documents`, { text, source });
  if (status !== 202) throw new Error(`${status} ${body.error?.code}`);
  return body.job_id;
}

async function ended(client: ApiClient, jobId: string): Promise<void> {
  const job = await client.ended(jobId, ENDS_WITHIN_MS);
  if (job.status !== "completed") throw new Error(`${job.status} ${job.error?.code}`);
}

const redis = await startPrivateRedis();
const chroma = await startTestChroma();
const platform = await startTestPlatform({ redisUrl: redis.url, env: { CHROMA_URL: chroma.url, LOG_LEVEL: "info" } });
try {
  const { alice } = platform;
  const texts = Array.from({ length: documents }, (_, at) => markdownOf(at + 1, SMALL_CHARS));
  const before = await chromaAlone(chroma.url, texts, "alone-before");
  await ended(alice, await store(alice, "warm", "warm", "Warm."));
  const begun = performance.now();
  await each([...texts.entries()], atOnce, async ([at, text]) => {
    await ended(alice, await store(alice, "small", `${at}.md`, text));
  });
  const took = seconds(begun);
  const after = await chromaAlone(chroma.url, texts, "alone-after");
  const alone = (before + after) / 2;
  console.log(
    `${documents} documents of 1 KB, ${atOnce} at a time: ${took.toFixed(1)} s, ${(documents / took).toFixed(1)}/s;`,
    `Chroma alone, one write per document: ${alone.toFixed(1)} s, ${(documents / alone).toFixed(1)}/s;`,
    `ratio ${(alone / took).toFixed(2)}`,
  );

  const large = markdownOf(1_000_000, kilobytes * 1_024).slice(0, kilobytes * 1_024);
  const largeAlone = await chromaAlone(chroma.url, [large], "alone-large");
  const largeBegun = performance.now();
  const jobId = await store(alice, "large", "large.md", large);
  const steps = new Set<number>();
  const waits: number[] = [];
  for (let isOver = false; !isOver; ) {
    const asked = performance.now();
    await alice.post("/knowledge/small/query", { query: "the harbour in winter" });
    waits.push(performance.now() - asked);
    const job = await alice.job(jobId);
    steps.add(job.progress?.progress ?? 0);
    isOver = ["completed", "failed", "cancelled"].includes(job.status);
  }
  await ended(alice, jobId);
  const largeTook = seconds(largeBegun);
  waits.sort((one, other) => one - other);
  const at = (share: number) => `${Math.round(waits[Math.floor(share * (waits.length - 1))] ?? 0)} ms`;
  console.log(
    `one document of ${kilobytes} KiB: ${largeTook.toFixed(1)} s, ${(kilobytes / 1_024 / largeTook).toFixed(2)} MiB/s,`,
    `${steps.size} steps of progress; Chroma alone: ${largeAlone.toFixed(1)} s;`,
    `${waits.length} queries beside it: median ${at(0.5)}, 95 % ${at(0.95)}, longest ${at(1)}`,
  );
  const pids = { worker: platform.workers[0]?.pid, api: platform.apis[0]?.pid };
  console.log(
    Object.entries(pids)
      .map(([name, pid]) => `${name} ${memoryOf(pid)}`)
      .join(", "),
  );
} finally {
  await platform.stop();
  await chroma.stop();
  await redis.stop();
}
