/** The tool `search_documents`: finds passages in the stored documents of the job's owner. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { z } from "zod";
import { defineTool, type Tool, ToolError } from "./tool.ts";

export const searchDocuments: Tool = defineTool({
  name: "search_documents",
  description:
    "Searches stored documents and returns the passages nearest to the query, best first, " +
    "each with its source. Use it before answering questions about them.",
  parameters: z.strictObject({
    query: z
      .string()
      .min(1)
      .max(2_000)
      .describe("What to look for, in the documents' language: a question or key words"),
    top_k: z.int().min(1).max(20).default(5).describe("Most passages to return; default 5"),
    collection: z.string().min(1).max(63).optional().describe("The collection to search, where none is configured"),
  }),
  idempotent: true,
  async call({ query, top_k, collection: named }, { retriever, collection: configured, signal }) {
    // A configured collection takes precedence: a text that the model has read must not lead it to other collections.
    const collection = configured ?? named ?? null;
    if (collection === null) throw new ToolError("Name the collection to search: none is configured.");
    try {
      const passages = await retriever.search({ collection, query, topK: top_k }, signal);
      return passages.map(({ source, heading, score, content }) => ({ source, heading, score, content }));
    } catch (error) {
      if (!(error instanceof PlatformError) || error.code !== "collection_not_found") throw error;
      throw new ToolError(`There is no collection "${collection}".`);
    }
  },
});
