/** The program of a thread that reads files. It may be terminated at any moment, so it keeps nothing. */
import { parentPort } from "node:worker_threads";
import type { DocumentFormat } from "@agent-paas/shared/contract/knowledge.ts";
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { decodeText } from "./decode-text.ts";
import { createTextSink, type TextSink } from "./text-sink.ts";

export type DocumentRequest = {
  readonly bytes: Uint8Array;
  readonly format: DocumentFormat;
  readonly charset: string | undefined;
  readonly limits: { readonly pages: number; readonly textBytes: number };
};

export type DocumentReply = { readonly text: string } | { readonly code: ErrorCode; readonly message: string };

/** Each writes the text of a file. The modules are loaded when the first file of the format comes. */
const READERS: Readonly<Record<DocumentFormat, (request: DocumentRequest, sink: TextSink) => Promise<void>>> = {
  text: async ({ bytes, charset }, sink) => sink.write(decodeText(bytes, charset)),
  markdown: async ({ bytes, charset }, sink) => sink.write(decodeText(bytes, charset)),
  html: async ({ bytes, charset }, sink) =>
    (await import("./html.ts")).writeHtml(decodeText(bytes, charset, { isHtml: true }), sink),
  csv: async ({ bytes, charset }, sink) => (await import("./csv.ts")).writeCsv(decodeText(bytes, charset), sink),
  pdf: async ({ bytes, limits }, sink) => (await import("./pdf.ts")).writePdf(bytes, limits.pages, sink),
  docx: async ({ bytes }, sink) => (await import("./docx.ts")).writeDocx(bytes, sink),
};

async function read(request: DocumentRequest): Promise<DocumentReply> {
  try {
    const sink = createTextSink(request.limits.textBytes);
    await READERS[request.format](request, sink);
    const text = sink.text();
    if (text.trim() === "") throw new PlatformError("document_has_no_text");
    return { text };
  } catch (error) {
    if (error instanceof PlatformError) return { code: error.code, message: error.message };
    const reason = error instanceof Error ? error.message.slice(0, MAX_REASON) : "";
    return { code: "document_unreadable", message: `The document cannot be read as ${request.format}: ${reason}` };
  }
}

/** Longest reason, characters: the message of a library may quote the file. */
const MAX_REASON = 200;

parentPort?.on("message", (request: DocumentRequest) => {
  void read(request).then((reply) => parentPort?.postMessage(reply));
});
parentPort?.postMessage("ready");
