/** Fields of several responses. */
import { IdSchema } from "@agent-paas/shared/ids.ts";

export const NextPageSchema = IdSchema.nullable().describe("The `before` of the next page; null if this is the last.");
