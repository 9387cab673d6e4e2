/** Documents and questions, each with the passages that answer it. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type Chunk, chunkDocument } from "@agent-paas/agents/retrieval/chunk-document.ts";
import type { StoredChunk } from "@agent-paas/agents/retrieval/vector-store.ts";
import { z } from "zod";
import { CORPUS, type CorpusQuestion, QUESTIONS } from "../../fixtures/corpus-questions.ts";
import { readText } from "../../support/sources.ts";

export type Question = {
  readonly question: string;
  isAnsweredBy(passage: Pick<StoredChunk, "documentId" | "heading">): boolean;
};

export type QuestionSet = {
  readonly name: string;
  readonly chunks: readonly StoredChunk[];
  readonly questions: readonly Question[];
};

export const VERSION = "1";

const toStored = (documentId: string, source: string, chunks: readonly Chunk[]): StoredChunk[] =>
  chunks.map((chunk) => ({ ...chunk, id: `${documentId}:${chunk.position}`, documentId, version: VERSION, source }));

/** Questions that users would ask about the project's own documents. */
export async function ownQuestions(language: keyof typeof QUESTIONS): Promise<QuestionSet> {
  const chunks: StoredChunk[] = [];
  for (const document of CORPUS) {
    const format = document.endsWith(".md") ? "markdown" : "text";
    const cut = await chunkDocument(withoutQuestions(readText(document)), format);
    // Users upload a document under its name without its folder.
    chunks.push(...toStored(document, basename(document), cut));
  }
  const questions = QUESTIONS[language].map((asked) => ({
    question: asked.question,
    isAnsweredBy: ({ documentId, heading }: Pick<StoredChunk, "documentId" | "heading">) =>
      asked.sources.includes(documentId) && isUnder(heading, asked),
  }));
  return { name: `own documents, ${language}`, chunks, questions };
}

export const isUnder = (heading: string, { heading: wanted = "" }: CorpusQuestion) => heading.includes(wanted);

/** docs/documents.md quotes the questions, and these lines would be found first. */
function withoutQuestions(text: string): string {
  const asked = Object.values(QUESTIONS).flatMap((questions) => questions.map(({ question }) => question));
  return text
    .split("\n")
    .filter((line) => !asked.some((question) => line.includes(question)))
    .join("\n");
}

const SquadSchema = z.object({
  data: z.array(
    z.object({
      paragraphs: z.array(z.object({ context: z.string(), qas: z.array(z.object({ question: z.string() })) })),
    }),
  ),
});

/** The paragraphs of all files are the documents; the questions are those of the first file, `most` at equal steps. */
export async function readSquad(files: readonly string[], most: number): Promise<QuestionSet> {
  const documents = new Map<string, string>();
  const asked: { question: string; documentId: string }[] = [];
  for (const [place, file] of files.entries()) {
    const { data } = SquadSchema.parse(JSON.parse(readFileSync(file, "utf8")));
    for (const { context, qas } of data.flatMap(({ paragraphs }) => paragraphs)) {
      const documentId = documents.get(context) ?? String(documents.size + 1);
      documents.set(context, documentId);
      if (place === 0) asked.push(...qas.map(({ question }) => ({ question, documentId })));
    }
  }
  const chunks: StoredChunk[] = [];
  for (const [text, documentId] of documents) {
    chunks.push(...toStored(documentId, `${documentId}.txt`, await chunkDocument(text, "text")));
  }
  const step = Math.max(1, asked.length / most);
  const questions = asked
    .filter((_, at) => Math.floor(at / step) !== Math.floor((at - 1) / step))
    .map(({ question, documentId }) => ({
      question,
      isAnsweredBy: (passage: Pick<StoredChunk, "documentId">) => passage.documentId === documentId,
    }));
  return { name: files.map((file) => basename(file)).join(" + "), chunks, questions };
}
