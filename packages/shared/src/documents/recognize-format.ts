/**
 * What an uploaded file is. Its bytes decide; what the client says of it decides only between kinds of text. What
 * cannot be read is refused here, at once; what only a look into the file shows, the worker finds.
 */
import { DOCUMENT_FORMATS, type DocumentFormat } from "../contract/knowledge.ts";
import { PlatformError } from "../errors/platform-error.ts";
import {
  COMPOUND_FILE,
  IN_ZIP,
  PDF_HEAD,
  PDF_HEAD_WITHIN,
  UNSUPPORTED,
  UNSUPPORTED_MARKUP,
  ZIP,
} from "./signatures.ts";

export type FileHints = {
  /** What the client asks for. */
  readonly format?: DocumentFormat | undefined;
  /** Media type without parameters. */
  readonly type?: string | undefined;
  readonly name?: string | undefined;
};

const BY_TYPE: Readonly<Record<string, DocumentFormat>> = {
  "text/plain": "text",
  "text/markdown": "markdown",
  "text/x-markdown": "markdown",
  "text/html": "html",
  "application/xhtml+xml": "html",
  "text/csv": "csv",
  "application/csv": "csv",
  "text/tab-separated-values": "csv",
  "application/pdf": "pdf",
  "application/x-pdf": "pdf",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
};

const BY_EXTENSION: Readonly<Record<string, DocumentFormat>> = {
  ...{ txt: "text", text: "text", md: "markdown", markdown: "markdown" },
  ...{ html: "html", htm: "html", xhtml: "html", csv: "csv", tsv: "csv", pdf: "pdf", docx: "docx" },
};

/** How much of a file is looked at, bytes. */
const HEAD = 512;

/** Formats whose files are not text. */
const BINARY: ReadonlySet<DocumentFormat> = new Set(["pdf", "docx"]);

/** Throws `document_format_unsupported`, `document_encrypted` or `document_unreadable`. */
export function recognizeFormat(bytes: Buffer, hints: FileHints): DocumentFormat {
  const isAt = (mark: string, at = 0) => bytes.subarray(at, at + mark.length).equals(Buffer.from(mark, "latin1"));
  const text = firstText(bytes);
  if (isPdf(bytes)) return "pdf";
  if (isAt(ZIP)) return formatOfZip(bytes);
  if (isAt(COMPOUND_FILE)) {
    // The name of the stream that holds the document, in UTF-16.
    if (bytes.includes("EncryptedPackage", 0, "utf16le")) throw new PlatformError("document_encrypted");
    throw unsupported("an older Office format (DOC, XLS or PPT)");
  }
  const markup = UNSUPPORTED_MARKUP.find(({ bytes: mark }) => text.startsWith(mark));
  const binary = hasControls(bytes) ? UNSUPPORTED.find(({ bytes: mark, at }) => isAt(mark, at)) : undefined;
  if (markup !== undefined || binary !== undefined) throw unsupported((markup ?? binary)?.name ?? "");

  const declared = declaredFormat(hints);
  if (declared !== undefined && BINARY.has(declared)) {
    throw new PlatformError("document_unreadable", {
      message: `The document is said to be ${declared.toUpperCase()}, but its content is not.`,
    });
  }
  return declared ?? (isPage(text) ? "html" : "text");
}

function declaredFormat({ format, type = "", name = "" }: FileHints): DocumentFormat | undefined {
  if (format !== undefined) return format;
  const extension = name.slice(name.lastIndexOf(".") + 1).toLowerCase();
  const byName = Object.hasOwn(BY_EXTENSION, extension) ? BY_EXTENSION[extension] : undefined;
  const byType = Object.hasOwn(BY_TYPE, type.toLowerCase()) ? BY_TYPE[type.toLowerCase()] : undefined;
  // Clients send text/plain for every text, so a name says more.
  return byType === undefined || byType === "text" ? (byName ?? byType) : byType;
}

/** Also a PDF whose bytes are all ASCII is no text. Behind words, the head of a PDF is part of a text about PDFs. */
function isPdf(bytes: Buffer): boolean {
  const at = bytes.subarray(0, PDF_HEAD_WITHIN).indexOf(PDF_HEAD, 0, "latin1");
  return at !== -1 && bytes.subarray(0, at).every((byte) => byte <= 32 || byte >= 127);
}

/** In the beginning; such as no text has, except UTF-16. */
const hasControls = (bytes: Buffer): boolean =>
  bytes.subarray(0, HEAD).some((byte) => byte < 9 || (byte > 13 && byte < 32));

function formatOfZip(bytes: Buffer): DocumentFormat {
  const found = IN_ZIP.find(({ entry }) => bytes.includes(entry, 0, "latin1"));
  if (found?.name !== "DOCX") throw unsupported(found?.name ?? "ZIP");
  // The first bit of an entry's flags.
  if (((bytes[6] ?? 0) & 1) === 1) throw new PlatformError("document_encrypted");
  return "docx";
}

const unsupported = (name: string) =>
  new PlatformError("document_format_unsupported", {
    message: `The document is ${name}. Supported are ${DOCUMENT_FORMATS.join(", ")}.`,
  });

/** The beginning, without a byte order mark and blanks; of UTF-16 its ASCII. */
function firstText(bytes: Buffer): string {
  const head = bytes.subarray(0, HEAD).toString("latin1").replaceAll("\0", "");
  const marks = ["\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"];
  const mark = marks.find((bom) => head.startsWith(bom)) ?? "";
  return head.slice(mark.length).trimStart();
}

const isPage = (text: string): boolean =>
  ["<!doctype html", "<html"].some((mark) => text.slice(0, mark.length).toLowerCase() === mark);
