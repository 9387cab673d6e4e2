/** The status texts of knowledge jobs, in the client's language. */
import type { Locale } from "@agent-paas/shared/contract/locale.ts";

type KnowledgeTexts = {
  /** The text of a file is being read, which may take some seconds. */
  readonly reading: (source: string) => string;
  /** `all` is the number of chunks of the document. */
  readonly stored: (chunks: number, all: number) => string;
  /** The rows are deleted, so no query finds the documents; their chunks are deleted next. */
  readonly clearing: string;
  readonly searching: (collection: string) => string;
};

export const KNOWLEDGE_TEXTS: Readonly<Record<Locale, KnowledgeTexts>> = {
  zh: {
    reading: (source) => `正在读取 ${source}...`,
    stored: (chunks, all) => `已存储 ${chunks}/${all} 个片段...`,
    clearing: "已删除，正在清理向量存储...",
    searching: (collection) => `正在检索 ${collection}...`,
  },
  en: {
    reading: (source) => `Reading ${source}...`,
    stored: (chunks, all) => `${chunks} of ${all} passages stored...`,
    clearing: "Deleted, clearing the vector store...",
    searching: (collection) => `Searching ${collection}...`,
  },
};
