/**
 * `npm run retrieval`: what the product's search finds beside plain BM25, with the local embedding and with the
 * embeddings of the local model server, by vectors and terms and by vectors alone.
 */
import { parseArgs } from "node:util";
import { createOpenAiProvider } from "@agent-paas/agents/model/openai/provider.ts";
import { createChromaStore } from "@agent-paas/agents/retrieval/chroma-store.ts";
import { createHybridEmbedder } from "@agent-paas/agents/retrieval/hybrid-embedder.ts";
import { createLocalEmbedder } from "@agent-paas/agents/retrieval/local-embedder.ts";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { startModelServer } from "../../../scripts/model-server/server.ts";
import { startTestChroma } from "../../support/chroma.ts";
import { drawMarkdown } from "../report/table.ts";
import { openBm25 } from "./bm25.ts";
import { searchOf, storeSet } from "./ours.ts";
import { ownQuestions, type QuestionSet, readSquad } from "./question-set.ts";
import { measure, type Search } from "./rank.ts";

const USAGE = `npm run retrieval -- [--data FILE[,FILE…]]… [--questions N]
  --data       paragraphs and questions in the form of SQuAD and XQuAD; of several files joined by commas the first
               has the questions, and all have the paragraphs. Default: this project's own documents
  --questions  at most so many questions of each set; default: 300`;

const { values } = parseArgs({
  options: {
    data: { type: "string", multiple: true, default: [] },
    questions: { type: "string", default: "300" },
    help: { type: "boolean", default: false },
  },
});
const most = Number(values.questions);
if (values.help || !Number.isInteger(most) || most < 1) {
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const chroma = await startTestChroma();
const modelServer = await startModelServer();
const provider = createOpenAiProvider({
  baseUrl: modelServer.url,
  apiKey: "local",
  limits: { connectMs: 10 * SECOND, firstTokenMs: MINUTE, idleMs: MINUTE, totalMs: MINUTE },
});
try {
  const sets =
    values.data.length === 0
      ? [await ownQuestions("en"), await ownQuestions("zh")]
      : await Promise.all(values.data.map((files) => readSquad(files.split(","), most)));
  for (const [at, set] of sets.entries()) await compare(set, `set${at}`);
} finally {
  await provider.close();
  await modelServer.stop();
  await chroma.stop();
}

async function compare(set: QuestionSet, name: string): Promise<void> {
  console.log(`\n${set.name}: ${set.questions.length} questions, ${set.chunks.length} chunks\n`);
  const store = createChromaStore({ url: chroma.url });
  const local = createLocalEmbedder();
  const meaning = provider.embedder("local-embedding", 64);
  const both = createHybridEmbedder(meaning, local);
  const embedders = { local, meaning, both };
  for (const [kind, embedder] of Object.entries(embedders)) await storeSet(store, `${name}-${kind}`, embedder, set);
  const searches: Record<string, Search> = {
    "local embedding, hybrid": searchOf(store, `${name}-local`, local, true),
    "local embedding, vectors alone": searchOf(store, `${name}-local`, local, false),
    "provider's embedding, hybrid": searchOf(store, `${name}-both`, both, true),
    "provider's embedding, vectors alone": searchOf(store, `${name}-meaning`, meaning, false),
    ...openBm25(set),
  };
  const rows: string[][] = [];
  for (const [system, search] of Object.entries(searches)) {
    const { recall, mrr, medianMs } = await measure(set.questions, search);
    rows.push([system, ...[...recall, mrr].map((share) => share.toFixed(3)), medianMs.toFixed(0)]);
  }
  const head = ["", "recall@1", "recall@3", "recall@10", "MRR@10", "median ms"];
  console.log(drawMarkdown({ head, rows }));
}
