/** Files in many formats with known text, made by code. */
import { strToU8, zipSync } from "fflate";
import PdfDocument from "pdfkit";

export type PdfOptions = PDFKit.PDFDocumentOptions;

export function pdfOf(draw: (pdf: PDFKit.PDFDocument) => void, options: PdfOptions = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pdf = new PdfDocument(options);
    const parts: Buffer[] = [];
    pdf.on("data", (part: Buffer) => parts.push(part));
    pdf.on("end", () => resolve(Buffer.concat(parts)));
    pdf.on("error", reject);
    draw(pdf);
    pdf.end();
  });
}

export const textPdf = (title: string, text: string): Promise<Buffer> =>
  pdfOf((pdf) => pdf.fontSize(24).text(title).moveDown().fontSize(11).text(text));

export const encryptedPdf = (text: string): Promise<Buffer> =>
  pdfOf((pdf) => pdf.text(text), { userPassword: "secret" });

/** A page with a picture and no text, as a scanner makes it. */
export const scannedPdf = (): Promise<Buffer> => pdfOf((pdf) => pdf.image(PNG, 0, 0, { width: 600 }));

/** A PDF of ASCII alone, whose one stream is not compressed; `font` is the dictionary of its font. */
export function asciiPdf(show: string, font = "/Type/Font/Subtype/Type1/BaseFont/Helvetica", more = ""): Buffer {
  const content = `BT /F1 12 Tf 72 700 Td ${show} Tj ET`;
  return Buffer.from(
    [
      "%PDF-1.4",
      "1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj",
      "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj",
      "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj",
      `4 0 obj<</Length ${content.length}>>stream\n${content}\nendstream endobj`,
      `5 0 obj<<${font}>>endobj`,
      more,
      "trailer<</Root 1 0 R>>",
    ].join("\n"),
  );
}

/** Its text is in a character map that the file only names, as files of Chinese programs often do. */
export const chinesePdf = (text: string): Buffer =>
  asciiPdf(
    `<${Buffer.from(text, "utf16le").swap16().toString("hex")}>`,
    "/Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[6 0 R]",
    [
      "6 0 obj<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 7 0 R",
      "/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>>>endobj",
      "7 0 obj<</Type/FontDescriptor/FontName/STSong-Light/Flags 4>>endobj",
    ].join("\n"),
  );

const escapeXml = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';
const RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const XML = '<?xml version="1.0" encoding="UTF-8"?>';

export const paragraphXml = (text: string, style?: string): string =>
  `<w:p>${style === undefined ? "" : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`}<w:r><w:t>${escapeXml(text)}</w:t></w:r></w:p>`;

export const tableXml = (rows: readonly (readonly string[])[]): string =>
  `<w:tbl>${rows.map((cells) => `<w:tr>${cells.map((cell) => `<w:tc>${paragraphXml(cell)}</w:tc>`).join("")}</w:tr>`).join("")}</w:tbl>`;

/** The parts of a DOCX file whose body is the XML. */
export const docxParts = (body: string): Record<string, Uint8Array> => ({
  "[Content_Types].xml": strToU8(
    `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`,
  ),
  "_rels/.rels": strToU8(
    `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${RELATIONS}/officeDocument" Target="word/document.xml"/></Relationships>`,
  ),
  "word/_rels/document.xml.rels": strToU8(
    `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${RELATIONS}/styles" Target="styles.xml"/></Relationships>`,
  ),
  "word/styles.xml": strToU8(
    `${XML}<w:styles ${WORD}>${[1, 2, 3].map((level) => `<w:style w:type="paragraph" w:styleId="H${level}"><w:name w:val="heading ${level}"/></w:style>`).join("")}</w:styles>`,
  ),
  "word/document.xml": strToU8(`${XML}<w:document ${WORD}><w:body>${body}</w:body></w:document>`),
});

export const docxOf = (body: string): Buffer => Buffer.from(zipSync(docxParts(body)));

export const textDocx = (title: string, text: string): Buffer => docxOf(paragraphXml(title, "H1") + paragraphXml(text));

export const RTF = Buffer.from("{\\rtf1\\ansi Tea is steeped at eighty degrees.}");
export const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==",
  "base64",
);
/** An Office file of the older kind, or one with a password. */
export const compoundFile = (stream = "WordDocument"): Buffer =>
  Buffer.concat([
    Buffer.from("d0cf11e0a1b11ae1", "hex"),
    Buffer.alloc(1_024),
    Buffer.from(stream, "utf16le"),
    Buffer.alloc(512),
  ]);

export const zipOf = (files: Record<string, string>): Buffer =>
  Buffer.from(zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)]))));
