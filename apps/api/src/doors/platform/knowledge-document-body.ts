/**
 * The body that carries a document: JSON, or a form with one file. Both become the same fields. A body that is not
 * text, not UTF-8 or too large is refused with an error that says so.
 */
import { isUtf8 } from "node:buffer";
import { DOCUMENT_FORMATS, type DocumentFormat } from "@agent-paas/shared/contract/knowledge.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { parseJson, reviveBody } from "@agent-paas/shared/json/exact-json.ts";
import express, { type Request, type RequestHandler } from "express";
import multer from "multer";
import { z } from "zod";
import { bodySchema, JsonObjectSchema, validate } from "../../validation/validate.ts";

const MAX_SOURCE = 300;
const MAX_METADATA_BYTES = 16 * 1_024;
/** JSON escapes at most double a usual text; the other fields are small. */
const ENVELOPE = { factor: 2, bytes: 64 * 1_024 };

const DocumentRequestSchema = bodySchema({
  text: z
    .string()
    .transform(normalize)
    .refine((text) => text.trim() !== "", "must not be empty")
    .refine((text) => !text.includes("\0"), "must not contain NUL characters"),
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
});

export type DocumentRequest = {
  readonly text: string;
  readonly format: DocumentFormat;
  readonly source: string | undefined;
  readonly metadata: Record<string, unknown>;
};

/** Removes what differs between operating systems: the byte order mark and the line breaks. */
function normalize(text: string): string {
  return text
    .replace(/^\uFEFF/, "")
    .replace(/\r\n?/g, "\n")
    .toWellFormed();
}

/** Throws `invalid_request` or `payload_too_large`. */
export function readDocument(body: unknown, maxBytes: number): DocumentRequest {
  const { text, format, source, metadata } = validate(DocumentRequestSchema, body);
  if (Buffer.byteLength(text) > maxBytes) throw tooLarge(maxBytes);
  const isMarkdown = source !== undefined && /\.(md|markdown)$/i.test(source);
  return { text, format: format ?? (isMarkdown ? "markdown" : "text"), source, metadata };
}

/** Stores the fields of a `DocumentRequestSchema` in `req.body`, from JSON or from a form. */
export function createDocumentParser(maxBytes: number): RequestHandler {
  const json = express.json({
    limit: maxBytes * ENVELOPE.factor + ENVELOPE.bytes,
    type: () => true,
    reviver: reviveBody,
    verify: (_req, _res, body) => {
      // Decoding would silently replace invalid bytes.
      if (!isUtf8(body)) throw new Error("not UTF-8");
    },
  });
  const form = multer({
    storage: multer.memoryStorage(),
    defParamCharset: "utf8",
    limits: { files: 1, fileSize: maxBytes, fields: 3, fieldSize: MAX_METADATA_BYTES, parts: 4 },
  }).single("file");

  return async (req, res, next) => {
    const isForm = req.is("multipart/form-data") !== false;
    const parse = isForm ? form : json;
    await new Promise<void>((resolve, reject) => {
      parse(req, res, (problem?: unknown) => (problem ? reject(explain(problem, isForm, maxBytes)) : resolve()));
    });
    if (isForm) req.body = fieldsOfForm(req);
    next();
  };
}

function fieldsOfForm({ file, body }: Request): Record<string, unknown> {
  if (file === undefined) throw new PlatformError("invalid_request", { message: "file: is required", param: "file" });
  if (!isUtf8(file.buffer)) throw notUtf8("The file is not UTF-8 text.");
  const { metadata, ...fields } = body as Record<string, unknown>;
  return {
    source: file.originalname,
    ...fields,
    text: file.buffer.toString(),
    ...(metadata === undefined ? {} : { metadata: readMetadata(metadata) }),
  };
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
  if (type === "entity.verify.failed") return notUtf8("The request body is not UTF-8.");
  return problem;
}

const tooLarge = (maxBytes: number) =>
  new PlatformError("payload_too_large", { message: `The document is larger than ${maxBytes} bytes.` });

const notUtf8 = (message: string) => new PlatformError("unsupported_encoding", { message });
