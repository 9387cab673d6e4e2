/** The messages of a session as items, a page at a time. */
import { IdSchema } from "@agent-paas/shared/ids.ts";
import type { z } from "zod";
import { withinParts } from "../../../jobs/message-parts.ts";
import type { Services } from "../../../services.ts";
import { asMessages } from "./earlier-turns.ts";
import { asItems, invalid } from "./items.ts";
import type { ItemListSchema, ItemsQuery } from "./lists.ts";

/** A page holds whole messages; a call and its result are two items of one message. */
export async function itemsOfSession(
  { sessions }: Pick<Services, "sessions">,
  owner: string,
  sessionId: string,
  { limit, order, after }: ItemsQuery,
): Promise<z.infer<typeof ItemListSchema>> {
  const from = after === undefined ? undefined : messageOf(after);
  const page = { limit: limit + 1, tools: true };
  const found =
    order === "asc"
      ? (await sessions.messages(owner, sessionId, { ...page, after: from ?? null })).toReversed()
      : await sessions.messages(owner, sessionId, { ...page, before: from });
  // The last of them comes first in the list.
  const { messages, partsOf } = await withinParts(sessions, found.slice(-limit));
  const data = messages
    .toReversed()
    .flatMap((row) => asItems(asMessages([row], partsOf), (at) => `item_${row.id}_${at}`));
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: messages.length < found.length,
  };
}

function messageOf(itemId: string): string {
  const id = IdSchema.safeParse(/^item_([0-9a-f-]{36})_/.exec(itemId)?.[1]).data;
  if (id === undefined) throw invalid(["after"], "there is no such item");
  return id;
}
