/** Why a document was refused, in words for the person who gave it. */
import { AgentPaasError } from "@agent-paas/client";
import { defineTexts } from "../text/texts.ts";
import { describeError } from "../ui/notices.tsx";

const REASONS = defineTexts({
  payload_too_large: {
    en: "Larger than the platform takes: its text, or the file.",
    zh: "超过平台允许的大小（文本或文件）。",
  },
  document_format_unsupported: {
    en: "Not a format that can be read: text, Markdown, HTML, CSV, PDF and DOCX can.",
    zh: "不支持这种格式；支持纯文本、Markdown、HTML、CSV、PDF 和 DOCX。",
  },
  document_encrypted: {
    en: "Encrypted: it cannot be read without its password.",
    zh: "文件已加密，没有密码无法读取。",
  },
  document_unreadable: { en: "Damaged, or more than can be read.", zh: "文件已损坏，或内容过多无法读取。" },
  document_has_no_text: { en: "Has no text: a scan, perhaps.", zh: "没有文字，可能是扫描件。" },
  unsupported_encoding: { en: "Its characters are in no known encoding.", zh: "无法识别文字编码。" },
  embedding_mismatch: {
    en: "The collection was made with another embedding. Store it in a new collection.",
    zh: "该集合使用的是另一个向量模型，请存入新集合。",
  },
  knowledge_share_exceeded: {
    en: "Your share of documents or collections is used up. Delete some first.",
    zh: "文档或集合已达上限，请先删除一些。",
  },
  waiting_bytes_limit: { en: "Too much is waiting already. Try again soon.", zh: "等待处理的内容过多，请稍后重试。" },
  waiting_jobs_limit: { en: "Too many jobs are waiting already. Try again soon.", zh: "等待的任务过多，请稍后重试。" },
  queue_full: { en: "The platform is full at the moment. Try again soon.", zh: "平台暂时已满，请稍后重试。" },
  vector_store_unavailable: { en: "The vector store is away. Try again soon.", zh: "向量库暂不可用，请稍后重试。" },
});

export function reasonOf(error: unknown): string {
  const known = error instanceof AgentPaasError && Object.hasOwn(REASONS, error.code);
  return known ? REASONS[error.code as keyof typeof REASONS] : describeError(error);
}
