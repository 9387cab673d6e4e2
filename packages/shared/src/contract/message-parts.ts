/** The parts of a message, as the OpenAI protocol has them. They reach the model as they came. */
import { z } from "zod";

export type TextPart = { readonly type: "text"; readonly text: string };

export type ImagePart = {
  readonly type: "image_url";
  readonly image_url: {
    /** Of the web, which the provider fetches, or `data:image/…;base64,…`. */
    readonly url: string;
    readonly detail?: "auto" | "low" | "high";
  };
};

export type FilePart = {
  readonly type: "file";
  readonly file: {
    /** `data:…;base64,…` or the base64 alone. */
    readonly file_data?: string;
    /** Of a file that the provider has. */
    readonly file_id?: string;
    readonly filename?: string;
  };
};

export type MessagePart = TextPart | ImagePart | FilePart;

/** Parts that the API has checked. */
export const CheckedPartsSchema = z.array(
  z.custom<MessagePart>((part) => typeof part === "object" && part !== null && "type" in part),
);

/** What is stored and searched as the message's text: its texts, each on lines of its own. */
export const textOfParts = (parts: readonly MessagePart[]): string =>
  parts
    .filter((part) => part.type === "text")
    .map(({ text }) => text)
    .join("\n");
