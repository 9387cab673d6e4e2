/** A corpus of documents in ten formats, and in four that are refused; each says one word that no other has. */
import type { ApiClient } from "./api-client.ts";
import { encryptedPdf, PNG, RTF, scannedPdf, textDocx, textPdf } from "./sample-files.ts";

export type CorpusFile = {
  readonly name: string;
  readonly kind: string;
  readonly type: string;
  readonly bytes: Buffer;
  /** No other file has it. */
  readonly word: string;
  /** Null: the file is stored. */
  readonly refusal: string | null;
};

type Kind = {
  readonly type: string;
  readonly make: (word: string) => Promise<Buffer> | Buffer | string;
  readonly refusal?: string;
};

const DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const english = (word: string) => `The ${word} stands beside the river. Its keeper writes a letter in winter.`;
const chinese = (word: string) => `河边有一座桥，名叫${word}，桥上的人在冬天写信。这是关于它的说明。`;
const german = (word: string) => `Grüße vom Fluß: ${word} kostet fünf €. Schöne Wörter für Jürgen.`;

const KINDS: Readonly<Record<string, Kind>> = {
  md: { type: "text/markdown", make: (word) => `# River\n\n${english(word)}` },
  txt: { type: "text/plain", make: english },
  html: { type: "text/html", make: (word) => `<title>River</title><h1>Bridge</h1><p>${english(word)}</p>` },
  csv: { type: "text/csv", make: (word) => `name,note\n${word},"stands, beside the river"\n` },
  json: { type: "application/octet-stream", make: (word) => JSON.stringify({ name: word, place: "river" }) },
  pdf: { type: "application/pdf", make: (word) => textPdf("River", english(word)) },
  docx: { type: DOCX, make: (word) => textDocx("River", english(word)) },
  "utf16.txt": { type: "text/plain", make: (word) => Buffer.from(chinese(word), "utf16le") },
  "gb18030.txt": { type: "text/plain", make: (word) => encodeGb18030(chinese(word)) },
  "windows1252.txt": { type: "text/plain", make: (word) => Buffer.from(german(word).replace("€", "\x80"), "latin1") },
  rtf: { type: "text/plain", make: () => RTF, refusal: "document_format_unsupported" },
  "encrypted.pdf": { type: "application/pdf", make: encryptedPdf, refusal: "document_encrypted" },
  "scanned.pdf": { type: "application/pdf", make: scannedPdf, refusal: "document_has_no_text" },
  png: { type: "image/png", make: () => PNG, refusal: "document_format_unsupported" },
};

/** The kinds in turn. */
export async function* corpusOf(count: number): AsyncGenerator<CorpusFile> {
  const kinds = Object.entries(KINDS);
  for (let at = 0; at < count; at += 1) {
    const [kind, { type, make, refusal = null }] = kinds[at % kinds.length] as [string, Kind];
    const word = `wort${at.toString(36)}q`;
    yield { name: `file-${at}.${kind}`, kind, type, word, refusal, bytes: Buffer.from(await make(word)) };
  }
}

/** The code by which the file was refused, at once or by its job; null if it was stored. */
export async function upload(client: ApiClient, collection: string, file: CorpusFile): Promise<string | null> {
  const path = `/knowledge/${collection}/documents?source=${file.name}`;
  const headers = { "Content-Type": file.type };
  const { status, body } = await client.send("POST", path, { body: Uint8Array.from(file.bytes), headers });
  if (status !== 202) return body.error.code;
  const job = await client.ended(body.job_id, 300_000);
  return job.status === "completed" ? null : (job.error?.code ?? job.status);
}

/** The characters of two bytes, which usual texts consist of. */
function encodeGb18030(text: string): Buffer {
  const decoder = new TextDecoder("gb18030");
  const codes = new Map<string, number>();
  for (let code = 0x8140; code <= 0xfefe; code += 1) {
    codes.set(decoder.decode(Uint8Array.of(code >> 8, code & 0xff)), code);
  }
  return Buffer.from(
    [...text].flatMap((char) => {
      const code = char < "\x80" ? char.charCodeAt(0) : (codes.get(char) ?? 0x3f);
      return code < 0x80 ? [code] : [code >> 8, code & 0xff];
    }),
  );
}
