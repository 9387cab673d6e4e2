/** Lists of items, in pages. */
import { z } from "zod";
import { invalid, StoredItemSchema } from "./items.ts";

export const ItemsQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  order: z.enum(["asc", "desc"]).default("desc"),
  after: z.string().min(1).optional().describe("The id of the last item of the page before."),
});
export type ItemsQuery = z.infer<typeof ItemsQuerySchema>;

export const ItemListSchema = z.object({
  object: z.literal("list"),
  data: z.array(StoredItemSchema),
  first_id: z.string().nullable(),
  last_id: z.string().nullable(),
  has_more: z.boolean(),
});

type Item = z.infer<typeof StoredItemSchema>;

/** @param items oldest first. Throws `invalid_request` for an `after` that is none of them. */
export function pageOf(items: readonly Item[], { limit, order, after }: ItemsQuery): z.infer<typeof ItemListSchema> {
  const ordered = order === "asc" ? items : items.toReversed();
  const from = after === undefined ? 0 : ordered.findIndex(({ id }) => id === after) + 1;
  if (after !== undefined && from === 0) throw invalid(["after"], "there is no such item");
  const data = ordered.slice(from, from + limit);
  return {
    object: "list",
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: from + data.length < ordered.length,
  };
}
