/** Checks the parts of a message, which go on as they came. */
import { type MessagePart, textOfParts } from "@agent-paas/shared/contract/message-parts.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { z } from "zod";
import { validate } from "./validate.ts";

/** A web address; longer ones are no addresses, but data. */
const MAX_URL = 8_192;
const MAX_NAME = 255;
/** Of a data URL, up to its comma. */
const MAX_HEAD = 256;

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const isBase64 = (text: string): boolean => text !== "" && text.length % 4 === 0 && BASE64.test(text);

/** Whether it is `data:` of this kind with base64 behind it. */
function isDataUrl(text: string, kind: string): boolean {
  const comma = text.slice(0, MAX_HEAD).indexOf(",");
  const head = text.slice(0, comma).toLowerCase();
  return comma > 0 && head.startsWith(`data:${kind}`) && head.endsWith(";base64") && isBase64(text.slice(comma + 1));
}

const isWebUrl = (text: string): boolean =>
  text.length <= MAX_URL && URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol);

const TextPartSchema = z.strictObject({
  type: z.literal("text"),
  text: z.string().refine((text) => text.trim() !== "", "must not be empty"),
});

const ImagePartSchema = z.strictObject({
  type: z.literal("image_url"),
  image_url: z.strictObject({
    url: z
      .string()
      .refine(
        (url) => isWebUrl(url) || isDataUrl(url, "image/"),
        "expected an http(s) address or data:image/...;base64,...",
      ),
    detail: z.enum(["auto", "low", "high"]).optional(),
  }),
});

const FilePartSchema = z.strictObject({
  type: z.literal("file"),
  file: z
    .strictObject({
      file_data: z
        .string()
        .refine((data) => isBase64(data) || isDataUrl(data, ""), "expected data:...;base64,... or base64")
        .optional(),
      file_id: z.string().min(1).max(MAX_NAME).optional(),
      filename: z.string().min(1).max(MAX_NAME).optional(),
    })
    .refine(({ file_data, file_id }) => (file_data === undefined) !== (file_id === undefined), {
      error: "expected file_data or file_id, one of both",
    }),
});

export const PartSchema = z
  .discriminatedUnion("type", [TextPartSchema, ImagePartSchema, FilePartSchema], {
    error: ({ code }) => (code === "invalid_union" ? 'expected "text", "image_url" or "file"' : "expected an object"),
  })
  .meta({ id: "MessagePart" });

export const MessagePartsSchema = z.array(PartSchema).min(1, "must not be empty");

export type PartLimits = { readonly MAX_MESSAGE_PARTS: number; readonly MAX_PARTS_BYTES: number };

export type CheckedParts = { readonly parts: readonly MessagePart[]; readonly text: string };

/** Throws `invalid_request` with the path of the field within `param`, or `payload_too_large`. */
export function checkParts(
  input: readonly unknown[],
  { MAX_MESSAGE_PARTS: most, MAX_PARTS_BYTES: mostBytes }: PartLimits,
  param: string,
): CheckedParts {
  assertFewParts(input, most, param);
  validate(MessagePartsSchema, input, [param]);
  const parts = input as readonly MessagePart[];
  if (Buffer.byteLength(JSON.stringify(parts)) > mostBytes) {
    const message = `${param}: its parts are larger than ${mostBytes} bytes`;
    throw new PlatformError("payload_too_large", { message, param });
  }
  return { parts, text: textOfParts(parts) };
}

/** Throws `invalid_request` for more parts than one message may have. */
export function assertFewParts(parts: readonly unknown[], most: number, param: string): void {
  if (parts.length <= most) return;
  throw new PlatformError("invalid_request", { message: `${param}: has more than ${most} parts`, param });
}
