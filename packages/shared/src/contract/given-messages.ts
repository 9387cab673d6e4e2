/** Messages of a conversation that a request brings itself. They reach the model as they stand, and all of them. */
import { z } from "zod";
import { CheckedPartsSchema } from "./message-parts.ts";

const GivenCallSchema = z.object({ id: z.string(), name: z.string(), arguments: z.string() });

export const GivenMessageSchema = z.discriminatedUnion("role", [
  /** What the client, not the platform, tells the model beside the conversation. */
  z.object({ role: z.literal("system"), content: z.string() }),
  /** `content` has the texts of the parts. */
  z.object({ role: z.literal("user"), content: z.string(), parts: CheckedPartsSchema.optional() }),
  z.object({ role: z.literal("assistant"), content: z.string(), tool_calls: z.array(GivenCallSchema).optional() }),
  /** The result of a call of an assistant's message before it. */
  z.object({ role: z.literal("tool"), content: z.string(), call_id: z.string() }),
]);
export type GivenMessage = Readonly<z.infer<typeof GivenMessageSchema>>;
