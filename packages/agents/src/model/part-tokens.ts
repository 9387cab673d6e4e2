/** What images and files cost of a model's input, roughly: providers count them by rules of their own. */
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";

/** An image of usual size. */
const IMAGE_TOKENS = 1_000;
/** A file that the provider has, or a short one. */
const LEAST_FILE_TOKENS = 1_000;
/** Base64 of a page as PDF: some 50,000 characters for 500 tokens. */
const CHARS_PER_TOKEN = 100;

/** Of all parts that are no texts. */
export function tokensOfParts(parts: readonly MessagePart[] = []): number {
  let tokens = 0;
  for (const part of parts) {
    if (part.type === "image_url") tokens += IMAGE_TOKENS;
    if (part.type === "file") {
      tokens += Math.max(LEAST_FILE_TOKENS, Math.ceil((part.file.file_data?.length ?? 0) / CHARS_PER_TOKEN));
    }
  }
  return tokens;
}
