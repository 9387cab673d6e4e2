import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import type { Passage, Retriever, SearchRequest } from "../retrieval/retriever.ts";
import { searchDocuments } from "./search-documents.ts";
import { ToolError } from "./tool.ts";

const PASSAGE: Passage = {
  document_id: "d1",
  source: "guide.md",
  heading: "Start",
  content: "Run it.",
  position: 3,
  score: 0.5,
};

async function search(args: unknown, collection: string | null, retriever: Retriever) {
  const logger = { info() {}, warn() {}, error() {} };
  const { signal } = new AbortController();
  const job = { jobId: "j", sessionId: null, owner: "ann", ended: signal, retriever, collection };
  const context = { ...job, callId: "c", signal, stillWorking() {}, logger };
  return searchDocuments.call(searchDocuments.parse(args), context);
}

const failing = (error: Error): Retriever => ({ search: () => Promise.reject(error) });

test("search_documents searches the configured collection, and the named one only if none is configured", async () => {
  const asked: SearchRequest[] = [];
  const retriever: Retriever = {
    async search(request) {
      asked.push(request);
      return [PASSAGE];
    },
  };
  const result = [{ source: "guide.md", heading: "Start", score: 0.5, content: "Run it." }];
  expect(await search({ query: "how" }, "docs", retriever)).toEqual(result);
  await search({ query: "how", top_k: 2, collection: "other" }, "docs", retriever);
  await search({ query: "how", collection: "other" }, null, retriever);
  expect(asked).toEqual([
    { collection: "docs", query: "how", topK: 5 },
    { collection: "docs", query: "how", topK: 2 },
    { collection: "other", query: "how", topK: 5 },
  ]);
});

test("errors of the model's own arguments are ToolErrors", async () => {
  const missing = failing(new PlatformError("collection_not_found"));
  await expect(search({ query: "how" }, null, missing)).rejects.toThrow(ToolError);
  await expect(search({ query: "how" }, "docs", missing)).rejects.toThrow(
    new ToolError('There is no collection "docs".'),
  );
  for (const args of [{}, { query: "" }, { query: "q", top_k: 21 }, { query: "q", k: 1 }]) {
    await expect(search(args, "docs", missing)).rejects.toThrow(ToolError);
  }
});

test("other failures are thrown unchanged, so that the job is retried", async () => {
  for (const code of ["vector_store_unavailable", "model_unavailable", "embedding_mismatch"] as const) {
    const error = new PlatformError(code);
    await expect(search({ query: "how" }, "docs", failing(error))).rejects.toBe(error);
  }
});
