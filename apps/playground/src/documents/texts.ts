import { formatNumber } from "../text/format.ts";
import { defineTexts } from "../text/texts.ts";

const inEnglish = (count: number, one: string, more = `${one}s`) =>
  `${formatNumber(count)} ${count === 1 ? one : more}`;

/** Others' marks of writing direction end with it. */
const isolated = (text: string) => `\u2068${text}\u2069`;

export const texts = defineTexts({
  title: { en: "Documents", zh: "文档" },
  about: {
    en: "Agents such as rag_basic answer from the documents of a collection, and cite them.",
    zh: "rag_basic 等智能体根据集合中的文档回答问题，并注明引用。",
  },
  noCollections: { en: "There is no collection yet.", zh: "还没有集合。" },
  newCollection: { en: "New collection", zh: "新建集合" },
  documents: { en: "Documents", zh: "文档" },
  chunks: { en: "Chunks", zh: "片段" },
  embedding: { en: "Embedding", zh: "向量模型" },
  created: { en: "Created", zh: "创建时间" },
  updated: { en: "Stored", zh: "存储时间" },
  name: { en: "Name", zh: "名称" },
  nameRule: {
    en: "Up to 63 letters, digits, _ and -. It begins with its first document.",
    zh: "最多 63 个字母、数字、_ 和 -；存入第一个文档时创建。",
  },
  nameWrong: {
    en: "Only letters, digits, _ and -, a letter or digit first.",
    zh: "只能使用字母、数字、_ 和 -，且以字母或数字开头。",
  },
  next: { en: "Next", zh: "下一步" },
  back: { en: "All collections", zh: "全部集合" },
  notYet: { en: "It begins with its first document.", zh: "存入第一个文档时创建此集合。" },
  counts: {
    en: (documents: number, chunks: number) => `${inEnglish(documents, "document")}, ${inEnglish(chunks, "chunk")}`,
    zh: (documents: number, chunks: number) => `${formatNumber(documents)} 个文档，${formatNumber(chunks)} 个片段`,
  },
  deleteCollection: { en: "Delete the collection", zh: "删除集合" },
  deleteCollectionOf: { en: (name: string) => `Delete ${name}`, zh: (name: string) => `删除 ${name}` },
  deleteCollectionAsk: {
    en: (name: string, documents: number) =>
      `${name} and its ${inEnglish(documents, "document")} are deleted. This cannot be undone.`,
    zh: (name: string, documents: number) => `将删除 ${name} 及其中的 ${formatNumber(documents)} 个文档，且无法恢复。`,
  },
  deleteDocument: { en: "Delete the document", zh: "删除文档" },
  deleteDocumentOf: { en: (source: string) => `Delete ${source}`, zh: (source: string) => `删除 ${source}` },
  deleteDocumentAsk: {
    en: (source: string) => `“${isolated(source)}” is deleted from the collection. This cannot be undone.`,
    zh: (source: string) => `将从集合中删除“${isolated(source)}”，且无法恢复。`,
  },
  delete: { en: "Delete", zh: "删除" },
  beingDeleted: {
    en: (name: string) => `“${isolated(name)}” is being deleted.`,
    zh: (name: string) => `正在删除“${isolated(name)}”。`,
  },
  add: { en: "Add documents", zh: "添加文档" },
  drop: { en: "Drop files here", zh: "将文件拖到此处" },
  dropHint: {
    en: "Text, Markdown, HTML, CSV, PDF, DOCX. The same name replaces a document.",
    zh: "支持纯文本、Markdown、HTML、CSV、PDF、DOCX；同名文档会被替换。",
  },
  choose: { en: "Choose files", zh: "选择文件" },
  paste: { en: "Paste text", zh: "粘贴文本" },
  pasteTitle: { en: "A text as a document", zh: "以文本创建文档" },
  text: { en: "Text", zh: "文本" },
  source: { en: "Name of the document", zh: "文档名称" },
  sourceHint: { en: "With .md at its end, headings are read.", zh: "以 .md 结尾时会识别标题。" },
  pastedName: { en: "note.md", zh: "笔记.md" },
  store: { en: "Store", zh: "存储" },
  noFolders: { en: "Folders cannot be dropped, only files.", zh: "不能拖入文件夹，请拖入文件。" },
  uploads: { en: "Uploads", zh: "上传" },
  uploadsLeft: {
    en: (ended: number, all: number) => `${formatNumber(ended)} of ${formatNumber(all)} done`,
    zh: (ended: number, all: number) => `已完成 ${formatNumber(ended)} / ${formatNumber(all)}`,
  },
  moreUploads: {
    en: (count: number) => `and ${formatNumber(count)} more`,
    zh: (count: number) => `以及另外 ${formatNumber(count)} 个`,
  },
  waiting: { en: "waiting", zh: "等待中" },
  sending: {
    en: (sent: string, total: string) => `sending, ${sent} of ${total}`,
    zh: (sent: string, total: string) => `上传中，${sent} / ${total}`,
  },
  storing: { en: (percent: number) => `storing, ${percent}%`, zh: (percent: number) => `存储中，${percent}%` },
  stored: { en: "stored", zh: "已存储" },
  refused: { en: "refused", zh: "被拒绝" },
  cancelled: { en: "cancelled", zh: "已取消" },
  cancelUpload: { en: (source: string) => `Cancel ${source}`, zh: (source: string) => `取消 ${source}` },
  clear: { en: "Clear the list", zh: "清空列表" },
  noDocuments: { en: "No documents yet.", zh: "还没有文档。" },
  format: { en: "Format", zh: "格式" },
  size: { en: "Size", zh: "大小" },
  document: { en: "Document", zh: "文档" },
  query: { en: "Try a query", zh: "试试检索" },
  queryHint: { en: "What would you ask?", zh: "想问什么？" },
  search: { en: "Search", zh: "检索" },
  most: { en: "At most", zh: "最多" },
  least: { en: "Lowest score", zh: "最低分数" },
  nothingFound: { en: "No passage fits.", zh: "没有匹配的段落。" },
  found: {
    en: (count: number, took: string) => `${inEnglish(count, "passage")} in ${took}`,
    zh: (count: number, took: string) => `${formatNumber(count)} 个段落，用时 ${took}`,
  },
  score: { en: "Score", zh: "分数" },
  place: {
    en: (position: number) => `chunk ${formatNumber(position)}`,
    zh: (position: number) => `第 ${formatNumber(position)} 个片段`,
  },
  openPassage: { en: "Show in the document", zh: "在文档中查看" },
  earlier: { en: "Earlier", zh: "前文" },
  later: { en: "Further", zh: "后文" },
});
