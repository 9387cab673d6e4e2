/** A DOCX file as Markdown: headings, paragraphs, lists and tables; pictures are left out. */
import mammoth from "mammoth";
import { writeHtml } from "./html.ts";
import type { TextSink } from "./text-sink.ts";
import { unzipDocument } from "./unzip-document.ts";

export async function writeDocx(bytes: Uint8Array, sink: TextSink): Promise<void> {
  const noPictures = mammoth.images.imgElement(async () => ({ src: "" }));
  const options = { convertImage: noPictures, includeEmbeddedStyleMap: false };
  const { value } = await mammoth.convertToHtml({ buffer: unzipDocument(bytes) }, options);
  writeHtml(value, sink);
}
