/** What knowledge tasks say of their progress, in the client's language. */
import type { Locale } from "@agent-paas/shared/contract/locale.ts";

type KnowledgeTexts = {
  readonly stored: (chunks: number, all: number) => string;
  /** Nobody sees the documents any more; their chunks go next. */
  readonly clearing: string;
  readonly searching: (collection: string) => string;
};

export const KNOWLEDGE_TEXTS: Readonly<Record<Locale, KnowledgeTexts>> = {
  zh: {
    stored: (chunks, all) => `已存储 ${chunks}/${all} 个片段...`,
    clearing: "已删除，正在清理向量存储...",
    searching: (collection) => `正在检索 ${collection}...`,
  },
  en: {
    stored: (chunks, all) => `${chunks} of ${all} passages stored...`,
    clearing: "Deleted, clearing the vector store...",
    searching: (collection) => `Searching ${collection}...`,
  },
};
