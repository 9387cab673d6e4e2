/**
 * `npm run corpus`: a thousand files in ten formats, and in four that are refused, are uploaded to an API and a worker
 * process of its own. It fails unless every one is stored, or refused by the code that it deserves.
 */
import { startTestChroma } from "../../support/chroma.ts";
import { type CorpusFile, corpusOf, upload } from "../../support/corpus.ts";
import { startTestPlatform } from "../../support/platform.ts";
import { startPrivateRedis } from "../../support/redis.ts";
import { memoryOf } from "./memory.ts";

const [count = 1_000, atOnce = 8] = process.argv.slice(2).map(Number);

const redis = await startPrivateRedis();
const chroma = await startTestChroma();
const platform = await startTestPlatform({ redisUrl: redis.url, env: { CHROMA_URL: chroma.url, LOG_LEVEL: "info" } });
try {
  const { alice } = platform;
  const files: CorpusFile[] = [];
  for await (const file of corpusOf(count)) files.push(file);
  const table = new Map<string, { stored: number; refused: Map<string, number>; wrong: number; bytes: number }>();
  const left = [...files];
  const begun = performance.now();
  const work = async () => {
    for (let file = left.shift(); file !== undefined; file = left.shift()) {
      const outcome = await upload(alice, "corpus", file);
      const row = table.get(file.kind) ?? { stored: 0, refused: new Map(), wrong: 0, bytes: 0 };
      table.set(file.kind, row);
      row.bytes += file.bytes.length;
      if (outcome === null) row.stored += 1;
      else row.refused.set(outcome, (row.refused.get(outcome) ?? 0) + 1);
      if (outcome !== file.refusal) row.wrong += 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const took = (performance.now() - begun) / 1_000;

  const listed = new Set<string>();
  for (let before = "", isMore = true; isMore; ) {
    const { body } = await alice.get(`/knowledge/corpus/documents?limit=200${before}`);
    for (const { source } of body.documents) listed.add(source);
    before = `&before=${body.next}`;
    isMore = body.next !== null;
  }
  const kept = files.filter(({ refusal }) => refusal === null);
  const lost = kept.filter(({ name }) => !listed.has(name)).length;
  for (const [kind, { stored, refused, wrong, bytes }] of table) {
    const codes = [...refused].map(([code, times]) => `${code} ${times}`).join(", ");
    console.log(`${kind.padEnd(16)} stored ${stored}, refused ${codes || 0}, wrong ${wrong}, ${bytes} bytes`);
  }
  const wrong = [...table.values()].reduce((sum, row) => sum + row.wrong, 0);
  console.log(`${count} files in ${took.toFixed(1)} s: ${listed.size} documents, wrong ${wrong}, lost ${lost}`);
  console.log(`worker ${memoryOf(platform.workers[0]?.pid)}, api ${memoryOf(platform.apis[0]?.pid)}`);
  if (wrong + lost > 0) process.exitCode = 1;
} finally {
  await platform.stop();
  await chroma.stop();
  await redis.stop();
}
