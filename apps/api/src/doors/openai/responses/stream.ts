/** The events of a response as Server-Sent Events. */
import { frameJson } from "@agent-paas/shared/contract/events.ts";
import { z } from "zod";
import { type StreamFormat, streamHeaders } from "../../../http/stream-format.ts";
import { errorBody } from "../error-format.ts";
import { OutputItemSchema, ResponseSchema } from "./response.ts";
import { type Fields, ResponseTranslation, type TranslationOptions } from "./translation.ts";

const HEARTBEAT = Buffer.from(": hb\n\n");

const frame = (type: string, number: number, fields: Fields): string =>
  `event: ${type}\ndata: ${frameJson({ type, sequence_number: number, ...fields })}\n\n`;

export function responseStream(options: Omit<TranslationOptions, "send">): StreamFormat {
  let frames = "";
  const translation = new ResponseTranslation({
    ...options,
    send: (type, number, fields) => {
      frames += frame(type, number, fields);
    },
  });
  const take = () => {
    const taken = frames;
    frames = "";
    return taken;
  };
  translation.begin();
  const preamble = take();
  return {
    headers: streamHeaders,
    preamble: preamble === "" ? HEARTBEAT : Buffer.from(preamble),
    heartbeat: HEARTBEAT,
    // Without a word, clients would take what they have for the whole response.
    reconnectAfter() {
      const { error } = errorBody("stream_interrupted");
      const { code, message, param } = error;
      return frame("error", translation.nextNumber, { code, message, param, error });
    },
    translate: () => (event) => {
      translation.apply(event);
      return take();
    },
  };
}

const LIFECYCLE = ["created", "queued", "in_progress", "completed", "incomplete", "failed"] as const;
const OF_ITEMS = ["output_item.added", "output_item.done"] as const;
const OF_PARTS = [
  "content_part.added",
  "content_part.done",
  "output_text.delta",
  "output_text.done",
  "output_text.annotation.added",
  "reasoning_summary_part.added",
  "reasoning_summary_part.done",
  "reasoning_summary_text.delta",
  "reasoning_summary_text.done",
  "function_call_arguments.delta",
  "function_call_arguments.done",
] as const;

const typeOf = <T extends string>(types: readonly T[]) => z.enum(types.map((type) => `response.${type}` as const));

const NumberSchema = z.int().describe("It rises strictly; `starting_after` takes it.");

function eventSchema<T extends string, Shape extends z.ZodRawShape>(types: readonly T[], shape: Shape) {
  const type = typeOf(types);
  return z.object({ event: type, data: z.looseObject({ type, sequence_number: NumberSchema, ...shape }) });
}

export const ResponseEventSchema = z.union([
  eventSchema(LIFECYCLE, { response: ResponseSchema }),
  eventSchema(OF_ITEMS, { output_index: z.int(), item: OutputItemSchema }),
  eventSchema(OF_PARTS, { item_id: z.string(), output_index: z.int() }),
  z.object({
    event: z.literal("error"),
    data: z.looseObject({
      type: z.literal("error"),
      sequence_number: NumberSchema,
      code: z.string(),
      message: z.string(),
    }),
  }),
]);
