/**
 * The body that carries a document: JSON with its text, a form with one file, or the file itself, with the other fields
 * in the query. All become the same: bytes, what they are, and the fields. What cannot become a document is refused
 * with an error that says so.
 */

import { isUtf8 } from "node:buffer";
import { createHash } from "node:crypto";
import { DOCUMENT_FORMATS, type DocumentFormat } from "@agent-paas/shared/contract/knowledge.ts";
import { recognizeFormat } from "@agent-paas/shared/documents/recognize-format.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { parseJson, reviveBody } from "@agent-paas/shared/json/exact-json.ts";
import express, { type Request, type RequestHandler } from "express";
import multer from "multer";
import { z } from "zod";
import type { Content } from "../../http/operation.ts";
import { bodySchema, JsonObjectSchema, validate } from "../../validation/validate.ts";

const MAX_SOURCE = 300;
const MAX_METADATA_BYTES = 16 * 1_024;
/** JSON escapes at most double a usual text; the other fields are small. */
const ENVELOPE = { factor: 2, bytes: 64 * 1_024 };
/** The media types of a body with the text in JSON. curl sends the second for whatever `-d` has. */
const JSON_TYPES = ["application/json", "application/x-www-form-urlencoded"];

const FIELDS = {
  format: z.enum(DOCUMENT_FORMATS).optional(),
  source: z
    .string()
    .transform((source) => source.toWellFormed().trim())
    .refine((source) => source !== "", "must not be empty")
    .refine((source) => source.length <= MAX_SOURCE, `must not be longer than ${MAX_SOURCE} characters`)
    .refine((source) => !/\p{Cc}/u.test(source), "must not contain control characters")
    .optional(),
  metadata: JsonObjectSchema.refine(
    (metadata) => Buffer.byteLength(JSON.stringify(metadata)) <= MAX_METADATA_BYTES,
    `must not be larger than ${MAX_METADATA_BYTES} bytes`,
  ).default({}),
};

const TextSchema = z
  .string()
  .transform(normalize)
  .refine((text) => text.trim() !== "", "must not be empty")
  .refine((text) => !text.includes("\0"), "must not contain NUL characters");

const TextRequestSchema = bodySchema({ text: TextSchema, ...FIELDS }).meta({
  examples: [{ text: "# Warranty\n\nTwo years.", source: "warranty.md", format: "markdown" }],
});
const FileRequestSchema = bodySchema(FIELDS);

/** What a form or a query has: texts alone. */
const TEXT_FIELDS = { ...FIELDS, metadata: z.string().optional().describe("A JSON object.") };
const FILE = z.file().meta({ type: "string", format: "binary" });

/** With a body that is the file itself. */
export const FileQuerySchema = z.object(TEXT_FIELDS);

/** The bodies by media type. */
export const DOCUMENT_BODY: Content = {
  "application/json": TextRequestSchema,
  "multipart/form-data": z.object({ file: FILE, ...TEXT_FIELDS }),
  "*/*": FILE,
};

export const DOCUMENT_ERRORS = [
  "document_format_unsupported",
  "document_encrypted",
  "document_unreadable",
  "document_has_no_text",
] as const;

/** The file of a form or of a body, with what the request says of it. */
class UploadedFile {
  readonly bytes: Buffer;
  readonly type: string;
  /** Of the text's encoding; undefined: it is not said. */
  readonly charset: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(bytes: Buffer, contentType: string, fields: Readonly<Record<string, unknown>>) {
    const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim());
    const charset = parameters.find((parameter) => parameter.toLowerCase().startsWith("charset="));
    this.bytes = bytes;
    this.type = type;
    this.charset = charset?.slice("charset=".length).replaceAll('"', "").trim();
    this.fields = fields;
  }

  /** What the hash of an idempotent request is made of. */
  toJSON(): unknown {
    const sha256 = createHash("sha256").update(this.bytes).digest("hex");
    return { ...this.fields, type: this.type, charset: this.charset, sha256 };
  }
}

export type DocumentRequest = {
  readonly bytes: Buffer;
  readonly format: DocumentFormat;
  readonly charset: string | undefined;
  readonly source: string | undefined;
  readonly metadata: Record<string, unknown>;
};

export type DocumentSizes = { readonly text: number; readonly file: number };

/** Removes what differs between operating systems: the byte order mark and the line breaks. */
function normalize(text: string): string {
  return text
    .replace(/^\uFEFF/, "")
    .replace(/\r\n?/g, "\n")
    .toWellFormed();
}

/** The files whose text is a fraction of them. */
const MOSTLY_MARKUP: ReadonlySet<DocumentFormat> = new Set(["pdf", "docx", "html"]);

/** Throws `invalid_request`, `payload_too_large` or what says that no document can be made of it. */
export function readDocument(body: unknown, sizes: DocumentSizes): DocumentRequest {
  if (!(body instanceof UploadedFile)) {
    const { text, ...fields } = validate(TextRequestSchema, body);
    const bytes = Buffer.from(text);
    const format = recognizeFormat(bytes, { format: fields.format, name: fields.source });
    if (bytes.length > sizes.text) throw tooLarge(sizes.text);
    return { bytes, charset: undefined, source: fields.source, metadata: fields.metadata, format };
  }
  const { bytes, type, charset } = body;
  const fields = validate(FileRequestSchema, body.fields);
  const format = recognizeFormat(bytes, { format: fields.format, name: fields.source, type });
  const limit = MOSTLY_MARKUP.has(format) ? sizes.file : sizes.text;
  if (bytes.length > limit) throw tooLarge(limit);
  assertKnown(charset);
  const request = { charset, source: fields.source, metadata: fields.metadata, format };
  const isPlain = (format === "text" || format === "markdown") && isUtf8(bytes);
  if (!isPlain) return { ...request, bytes };
  // UTF-16 has NUL characters in every line, and is valid UTF-8 if it has English words alone.
  if (bytes.includes(0) && bytes.length % 2 === 0) return { ...request, bytes };
  return { ...request, bytes: Buffer.from(validate(TextSchema, bytes.toString(), ["text"])) };
}

function assertKnown(charset: string | undefined): void {
  if (charset === undefined) return;
  try {
    new TextDecoder(charset);
  } catch {
    throw new PlatformError("unsupported_encoding", { message: `The charset ${charset.slice(0, 40)} is not known.` });
  }
}

/** Stores in `req.body` the fields of a `TextRequestSchema`, or an `UploadedFile`. */
export function createDocumentParser(sizes: DocumentSizes): RequestHandler {
  const largest = Math.max(sizes.text, sizes.file);
  const json = express.json({
    limit: sizes.text * ENVELOPE.factor + ENVELOPE.bytes,
    type: () => true,
    reviver: reviveBody,
    verify: (_req, _res, body) => {
      // Decoding would silently replace invalid bytes.
      if (!isUtf8(body)) throw new Error("not UTF-8");
    },
  });
  const raw = express.raw({ limit: largest, type: () => true });
  const form = multer({
    storage: multer.memoryStorage(),
    defParamCharset: "utf8",
    limits: { files: 1, fileSize: largest, fields: 3, fieldSize: MAX_METADATA_BYTES, parts: 4 },
  }).single("file");

  return async (req, res, next) => {
    const isForm = req.is("multipart/form-data") !== false;
    const isJson = req.headers["content-type"] === undefined || req.is(JSON_TYPES) !== false;
    const parse = isForm ? form : isJson ? json : raw;
    await new Promise<void>((resolve, reject) => {
      parse(req, res, (problem?: unknown) =>
        problem ? reject(explain(problem, isForm, isJson ? sizes.text : largest)) : resolve(),
      );
    });
    if (isForm) req.body = fileOfForm(req);
    else if (!isJson) req.body = fileOfBody(req);
    next();
  };
}

function fileOfForm({ file, body }: Request): UploadedFile {
  if (file === undefined) throw new PlatformError("invalid_request", { message: "file: is required", param: "file" });
  const fields = { source: file.originalname, ...(body as Record<string, unknown>) };
  return new UploadedFile(file.buffer, file.mimetype, withMetadata(fields));
}

function fileOfBody({ body, headers, query }: Request): UploadedFile {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
  return new UploadedFile(bytes, headers["content-type"] ?? "", withMetadata(query));
}

function withMetadata({ metadata, ...fields }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return metadata === undefined ? fields : { ...fields, metadata: readMetadata(metadata) };
}

function readMetadata(text: unknown): unknown {
  try {
    return parseJson(String(text));
  } catch {
    throw new PlatformError("invalid_request", { message: "metadata: is not valid JSON", param: "metadata" });
  }
}

/** Translates the errors of the parsers; any other error passes unchanged to the error handler. */
function explain(problem: unknown, isForm: boolean, maxBytes: number): unknown {
  if (problem instanceof multer.MulterError) {
    if (problem.code === "LIMIT_FILE_SIZE") return tooLarge(maxBytes);
    return new PlatformError("invalid_request", {
      message: `${problem.field ?? "the form"}: ${problem.message}`,
      ...(problem.field === undefined ? {} : { param: problem.field }),
    });
  }
  // Apart from the limits, only the form itself can be wrong.
  if (isForm) return new PlatformError("invalid_request", { message: "The form cannot be read.", cause: problem });
  const { type } = problem as { type?: unknown };
  if (type === "entity.too.large") return tooLarge(maxBytes);
  if (type === "entity.verify.failed") {
    return new PlatformError("unsupported_encoding", { message: "The request body is not UTF-8." });
  }
  return problem;
}

const tooLarge = (maxBytes: number) =>
  new PlatformError("payload_too_large", { message: `The document is larger than ${maxBytes} bytes.` });
