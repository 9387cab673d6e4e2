/** The text of a PDF as Markdown; what its lines are, `pdf-lines.ts` tells by their sizes and places. */
import { createRequire } from "node:module";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { getDocument, PasswordException, VerbosityLevel } from "pdfjs-dist/legacy/build/pdf.mjs";
import { type Line, linesOf, writeLines } from "./pdf-lines.ts";
import type { TextSink } from "./text-sink.ts";

/** Maps of characters that PDFs name instead of holding them, as those in Chinese, Japanese and Korean often do. */
const CHARACTER_MAPS = new URL("./cmaps/", pathOfPackage()).pathname;

function pathOfPackage(): string {
  return `file://${createRequire(import.meta.url).resolve("pdfjs-dist/package.json")}`;
}

/** Throws `document_encrypted`, or `payload_too_large` for too many pages. */
export async function writePdf(bytes: Uint8Array, maxPages: number, sink: TextSink): Promise<void> {
  const loading = getDocument({
    // A copy in a buffer of its own, because pdf.js takes the buffer over.
    data: new Uint8Array(bytes),
    cMapUrl: CHARACTER_MAPS,
    cMapPacked: true,
    verbosity: VerbosityLevel.ERRORS,
    disableFontFace: true,
    useSystemFonts: false,
    enableXfa: false,
  });
  try {
    const document = await loading.promise;
    if (document.numPages > maxPages) {
      throw new PlatformError("payload_too_large", { message: `The document has more than ${maxPages} pages.` });
    }
    const pages: Line[][] = [];
    for (let at = 1; at <= document.numPages; at += 1) {
      const page = await document.getPage(at);
      const { items } = await page.getTextContent();
      pages.push(linesOf(items.filter((item) => "str" in item)));
      page.cleanup();
    }
    writeLines(pages, sink);
  } catch (error) {
    if (error instanceof PasswordException) throw new PlatformError("document_encrypted", { cause: error });
    throw error;
  } finally {
    await loading.destroy();
  }
}
