/**
 * Messages of role `tool`. One for each finished call of a tool, with its result as the content and the call in the
 * metadata: they stand between the question and the answer of their job. And one for each result that a client has
 * sent, before the question of the job that brought it.
 */
import type { MessageRow } from "@agent-paas/shared/db/rows.ts";
import { z } from "zod";

export type FinishedCall = {
  readonly id: string;
  readonly name: string;
  /** As the model wrote them. */
  readonly arguments: string;
  readonly result: string;
  /** The model turn of the job that made the call, from 1: calls of one turn belong together. */
  readonly turn: number;
};

const CallSchema = z.object({ call_id: z.string(), name: z.string(), arguments: z.string(), turn: z.int() });

export const metadataOfCall = ({ id, name, arguments: args, turn }: FinishedCall): string =>
  JSON.stringify({ call_id: id, name, arguments: args, turn } satisfies z.infer<typeof CallSchema>);

/** Null for a message that a later version may have written. */
export function readCall({ content, metadata }: Pick<MessageRow, "content" | "metadata">): FinishedCall | null {
  const { success, data } = CallSchema.safeParse(JSON.parse(metadata));
  if (!success) return null;
  return { id: data.call_id, name: data.name, arguments: data.arguments, turn: data.turn, result: content };
}

const ClientResultSchema = z.object({ call_id: z.string(), client: z.literal(true) });

export const metadataOfClientResult = (callId: string): string =>
  JSON.stringify({ call_id: callId, client: true } satisfies z.infer<typeof ClientResultSchema>);

/** The id of the call; null for other messages. */
export const readClientResult = (metadata: string): string | null =>
  ClientResultSchema.safeParse(JSON.parse(metadata)).data?.call_id ?? null;
