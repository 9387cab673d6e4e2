import { deflateSync } from "node:zlib";
import type { DocumentFormat } from "@agent-paas/shared/contract/knowledge.ts";
import { zipSync } from "fflate";
import { afterAll, describe, expect, test } from "vitest";
import {
  asciiPdf,
  chinesePdf,
  docxOf,
  docxParts,
  encryptedPdf,
  paragraphXml,
  pdfOf,
  scannedPdf,
  tableXml,
} from "../../../../test/support/sample-files.ts";
import { createDocumentReader } from "./read-document.ts";

const reader = createDocumentReader({ pages: 20, textBytes: 1_024 * 1_024, withinMs: 20_000 });
afterAll(() => reader.close());

const read = (bytes: Buffer | string, format: DocumentFormat, charset?: string) =>
  reader.read({ bytes: Buffer.from(bytes), format, charset }, "alice");
const refusal = async (bytes: Buffer | string, format: DocumentFormat, from = reader) => {
  const outcome = from.read({ bytes: Buffer.from(bytes), format, charset: undefined }, "alice");
  return outcome.then(
    (text) => `read: ${text.slice(0, 60)}`,
    (error) => error.code,
  );
};

describe("PDF", () => {
  test("a PDF has its headings, paragraphs and tables as Markdown", async () => {
    const pdf = await pdfOf((page) => {
      page.fontSize(24).text("Drinks").fontSize(11).text("All about drinks. ".repeat(40));
      page.fontSize(16).text("Tea").fontSize(11).text("Green tea is steeped at eighty degrees.").moveDown(3);
      const y = page.y;
      for (const [at, row] of [
        ["Kind", "Degrees"],
        ["Green", "80"],
        ["Black", "95"],
      ].entries()) {
        page.text(row[0] ?? "", 72, y + at * 14).text(row[1] ?? "", 300, y + at * 14);
      }
    });
    const text = await read(pdf, "pdf");
    expect(text).toContain("# Drinks\n\nAll about drinks. All about drinks.");
    expect(text).toContain("## Tea\n\nGreen tea is steeped at eighty degrees.\n\n");
    expect(text).toContain("| Kind | Degrees |\n| --- | --- |\n| Green | 80 |\n| Black | 95 |");
  });

  test("a PDF of Chinese text in a character map that it only names is read", async () => {
    expect(await read(chinesePdf("红茶用热水冲泡"), "pdf")).toBe("红茶用热水冲泡\n\n");
  });

  test("a PDF with more pages than allowed, without text, with a password, or damaged is refused by its code", async () => {
    const many = await pdfOf((pdf) => {
      for (let at = 0; at < 21; at += 1) pdf.addPage().text("page");
    });
    expect(await refusal(many, "pdf")).toBe("payload_too_large");
    expect(await refusal(await scannedPdf(), "pdf")).toBe("document_has_no_text");
    expect(await refusal(await encryptedPdf("secret"), "pdf")).toBe("document_encrypted");
    expect(await refusal("%PDF-1.7\nrubbish", "pdf")).toBe("document_unreadable");
    const whole = await pdfOf((pdf) => pdf.text("whole"));
    expect(await refusal(whole.subarray(0, whole.length / 3), "pdf")).toBe("document_unreadable");
  });
});

describe("DOCX", () => {
  test("a DOCX file has its headings, lists and tables as Markdown, and entities decoded", async () => {
    const body = [
      paragraphXml("Drinks", "H1"),
      paragraphXml("Tea & <coffee>"),
      paragraphXml("Tea", "H2"),
      tableXml([
        ["Kind", "Degrees"],
        ["Green", "80"],
      ]),
    ];
    expect(await read(docxOf(body.join("")), "docx")).toBe(
      "# Drinks\n\nTea & <coffee>\n\n## Tea\n\n| Kind | Degrees |\n| --- | --- |\n| Green | 80 |\n\n",
    );
  });

  test("a DOCX file that is no archive, has no document, or has no text is refused by its code", async () => {
    expect(await refusal("PK\x03\x04word/", "docx")).toBe("document_unreadable");
    expect(await refusal(Buffer.from(zipSync({ "word/other.xml": new Uint8Array() })), "docx")).toBe(
      "document_unreadable",
    );
    expect(await refusal(docxOf(""), "docx")).toBe("document_has_no_text");
  });
});

test("HTML has its headings, lists, tables and code as Markdown, without scripts, styles, comments, navigation", async () => {
  const page = `<!doctype html><html><head><title>Drinks &amp; more</title><style>p{color:red}</style>
    <script>var secret = "<p>script</p>";</script></head><body><nav><a href="/">Home</a></nav><!-- a comment -->
    <h2>Tea</h2><p>Green&nbsp;tea: <b>80</b> &deg;C<br>steeped</p><ul><li>one<li>two</ul>
    <table><tr><th>Kind<th>Degrees<tr><td>Green<td><p>80</p></table><pre>a = 1\n  b</pre>
    # no heading</body></html>`;
  expect(await read(page, "html")).toBe(
    [
      "# Drinks & more",
      "## Tea",
      "Green tea: 80 °C",
      "steeped",
      "- one",
      "- two",
      "| Kind | Degrees |\n| --- | --- |\n| Green | 80 |",
      "```\na = 1\n  b\n```",
      "\\# no heading\n\n",
    ].join("\n\n"),
  );
});

test("HTML whose navigation is never closed keeps its text", async () => {
  expect(await read("<nav><p>All of the page.</p>", "html")).toBe("All of the page.\n\n");
});

test("CSV is a table, whatever separates its cells", async () => {
  const table = "| name | note |\n| --- | --- |\n| tea | 80, or less |\n| a\\|b | two lines |\n";
  expect(await read('name,note\ntea,"80, or less"\na|b,"two\nlines"\n', "csv")).toBe(table);
  expect(await read('name;note\r\ntea;80, or less\r\na|b;"two\r\nlines"', "csv")).toBe(table);
  expect(await read('name\tnote\ntea\t80, or less\na|b\t"two\nlines"', "csv")).toBe(table);
  expect(await read('sep=\t\nname\tnote\ntea\t80, or less\na|b\t"two\nlines"', "csv")).toBe(table);
  expect(await read('sep=;\r\nname;note\r\ntea;"80, or less"\r\na|b;"two\r\nlines"', "csv")).toBe(table);
});

const SENTENCES = {
  zh: "红茶用八十度的水冲泡，浓缩咖啡在九个大气压下萃取。\n第二行。",
  tw: "紅茶用八十度的水沖泡，濃縮咖啡在九個大氣壓下萃取。",
  ja: "紅茶は八十度のお湯で淹れます。コーヒーは九気圧で抽出します。",
  ko: "홍차는 팔십 도의 물로 우려냅니다. 에스프레소는 아홉 기압으로 추출합니다.",
  en: "Tea is steeped.\nCoffee is pressed.",
};
const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16();

test.each<[string, Buffer, string]>([
  ["UTF-8 with a byte order mark", Buffer.from(`\uFEFF${SENTENCES.zh}`), SENTENCES.zh],
  ["UTF-16LE with a mark", Buffer.from(`\uFEFF${SENTENCES.zh}`, "utf16le"), SENTENCES.zh],
  ["UTF-16BE with a mark", utf16be(`\uFEFF${SENTENCES.zh}`), SENTENCES.zh],
  ["UTF-16LE of Chinese", Buffer.from(SENTENCES.zh, "utf16le"), SENTENCES.zh],
  ["UTF-16BE of Chinese", utf16be(SENTENCES.zh), SENTENCES.zh],
  ["UTF-16LE of English", Buffer.from(SENTENCES.en, "utf16le"), SENTENCES.en],
  ["UTF-16BE of English", utf16be(SENTENCES.en), SENTENCES.en],
  ["UTF-16LE of Japanese", Buffer.from(SENTENCES.ja, "utf16le"), SENTENCES.ja],
  ["UTF-16BE of Korean", utf16be(SENTENCES.ko), SENTENCES.ko],
  [
    "GB18030",
    Buffer.from(
      "baecb2e8d3c3b0cbcaaeb6c8b5c4cbaeb3e5c5dda3acc5a8cbf5bfa7b7c8d4dabec5b8f6b4f3c6f8d1b9cfc2ddcdc8a1a1a3",
      "hex",
    ),
    "红茶用八十度的水冲泡，浓缩咖啡在九个大气压下萃取。",
  ],
  ["GB18030 of four characters", Buffer.from("baecb2e8badcbac3", "hex"), "红茶很好"],
  [
    "Windows-1252",
    Buffer.from("Gr\xfcner Tee zieht bei achtzig Grad. M\xfcller \x96 \x84sch\xf6n\x93 f\xfcr 5 \x80.", "latin1"),
    "Grüner Tee zieht bei achtzig Grad. Müller – „schön“ für 5 €.",
  ],
  ["one word in Windows-1252", Buffer.from("Caf\xe9", "latin1"), "Café"],
  ["UTF-8 with colours of a terminal", Buffer.from("\x1b[31mrot – grün\x1b[0m"), "\x1b[31mrot – grün\x1b[0m"],
])("a text in %s is recognized", async (_encoding, bytes, text) => {
  expect(await read(bytes, "text")).toBe(text);
});

/** The same sentences as other programs write them, in base64. */
const EAST_ASIAN: readonly [encoding: string, base64: string, text: string][] = [
  [
    "Big5",
    "rPWv+aq6qneqa6vcwrKz5qFHpPS3xaRFpFGr16FBpFSkwMTBq+G0TqVppUiz3KRGoUO68a/5q2i73a1uuPunQ6q6pPS3xaFBrsm2" +
      "oaRdpPG4+7V1oUM=",
    "紅茶的泡法很簡單：水溫九十度，三分鐘後就可以喝了。綠茶則需要較低的水溫，時間也比較短。",
  ],
  [
    "Shift_JIS",
    "jWeSg4LNgqiTkoLwko2CooLFjk+VqorUkdKCv4LcgreBQpfOkoOCzYLggqSPrYK1kuGCoom3k3iCxYKiguqC6YLGgqiCooK1gq2C" +
      "yILogtyCt4FC",
    "紅茶はお湯を注いで三分間待ちます。緑茶はもう少し低い温度でいれるとおいしくなります。",
  ],
  [
    "EUC-KR",
    "yKvC97TCILbfsMW/7iC5sMC7ILrXsO0gu+8gutAgtb++yCCx4rTZuLO0z7TZLiCz7ML3tMIgwbax3SC09SCzt8C6IL/CtbW/obyt" +
      "IL/st8G+3yC4wMDWvcC0z7TZLg==",
    "홍차는 뜨거운 물을 붓고 삼 분 동안 기다립니다. 녹차는 조금 더 낮은 온도에서 우려야 맛있습니다.",
  ],
  [
    "EUC-JP",
    "ucjD46TPpKrF8qTyw+2kpKTHu7DKrLTWwtSkwaTepLmho87Qw+Okz6TipKa+r6S3xOOkpLK5xdmkx6SkpOyk66TIpKqkpKS3pK+k" +
      "yqTqpN6kuaGj",
    "紅茶はお湯を注いで三分間待ちます。緑茶はもう少し低い温度でいれるとおいしくなります。",
  ],
];

test.each(EAST_ASIAN)("a text in %s is recognized by its characters", async (_encoding, base64, text) => {
  expect(await read(Buffer.from(base64, "base64"), "text")).toBe(text);
});

test("a declared charset decides where the bytes leave a choice, and HTML may declare its own", async () => {
  const cyrillic = Buffer.from("d7e0e9", "hex");
  expect(await read(cyrillic, "text", "windows-1251")).toBe("Чай");
  const page = Buffer.concat([Buffer.from('<meta charset="windows-1251"><p>'), cyrillic]);
  expect(await read(page, "html")).toBe("Чай\n\n");
  const commented = Buffer.concat([Buffer.from('<!-- charset=koi8-r --><meta charset="windows-1251"><p>'), cyrillic]);
  expect(await read(commented, "html")).toBe("Чай\n\n");
  const claimed = Buffer.concat([Buffer.from('<meta charset="utf-16"><p>'), Buffer.from("Caf\xe9s", "latin1")]);
  expect(await read(claimed, "html")).toBe("Cafés\n\n");
  expect(await refusal(Buffer.from("00010203040506070809fffefd00", "hex"), "text")).toBe("unsupported_encoding");
});

describe("a file that takes too much", () => {
  const nested = (depth: number) => "<div>".repeat(depth);
  test.each<[string, () => Buffer | string | Promise<Buffer>, DocumentFormat, string]>([
    ["HTML nested 4,000 times", () => `${nested(4_000)}deep`, "html", "read: deep"],
    ["HTML nested a million times", () => `${nested(1_000_000)}deep`, "html", "document_unreadable"],
    ["CSV of one huge row", () => "cell,".repeat(400_000), "csv", "payload_too_large"],
    ["HTML of one endless tag", () => `<p ${"a=b ".repeat(500_000)}`, "html", "document_has_no_text"],
    ["HTML of backticks", () => `<pre>${"`".repeat(300_000)}</pre>`, "html", "read"],
    ["DOCX that unpacks to 100 MB", () => docxBomb(100), "docx", "payload_too_large"],
    ["DOCX that claims 1 KB and unpacks to 100 MB", () => lyingDocx(100), "docx", "document_unreadable"],
    ["DOCX nested 100,000 times", () => docxOf("<w:sdt><w:sdtContent>".repeat(100_000)), "docx", "document_unreadable"],
    ["PDF whose stream unpacks to 2 GB", () => pdfBomb(), "pdf", "document_unreadable"],
  ])("%s is bounded, and the next file is read", { timeout: 60_000 }, async (_what, make, format, expected) => {
    expect(await refusal(await make(), format)).toContain(expected);
    expect(await read(asciiPdf("(alive)"), "pdf")).toBe("alive\n\n");
  });

  test("a file that takes too long is refused, while this thread goes on", async () => {
    const hasty = createDocumentReader({ pages: 20, textBytes: 1_024 * 1_024, withinMs: 500 });
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    expect(await refusal(pdfBomb(), "pdf", hasty)).toBe("document_unreadable");
    clearInterval(timer);
    await hasty.close();
    expect(ticks).toBeGreaterThan(20);
  });
});

const docxBomb = (megabytes: number) =>
  Buffer.from(zipSync({ ...docxParts(""), "word/document.xml": new Uint8Array(megabytes * 1_024 * 1_024) }));

function lyingDocx(megabytes: number): Buffer {
  const bytes = docxBomb(megabytes);
  const at = bytes.lastIndexOf("word/document.xml", undefined, "latin1") - 46;
  bytes.writeUInt32LE(1_024, at + 24);
  return bytes;
}

/** Its one stream is compressed twice: 2 GB of blanks in a few KB. */
function pdfBomb(): Buffer {
  const part = deflateSync(Buffer.alloc(256 * 1_024 * 1_024, " "), { level: 9 });
  const twice = deflateSync(Buffer.concat(Array.from({ length: 8 }, () => part)));
  const head = asciiPdf("(bomb)").toString("latin1");
  const stream = `4 0 obj<</Length ${twice.length}/Filter[/FlateDecode/FlateDecode]>>stream\n${twice.toString("latin1")}\nendstream endobj`;
  return Buffer.from(
    head.replace(/4 0 obj.*endstream endobj/s, () => stream),
    "latin1",
  );
}
