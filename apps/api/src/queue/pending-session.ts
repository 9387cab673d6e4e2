/** What Redis keeps of a session until its row exists: enough to check its owner and to inherit its config. */
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { DELETED_SESSION } from "@agent-paas/shared/redis/session-queue.ts";
import { z } from "zod";

const PendingSessionSchema = z.object({
  id: z.string(),
  owner: z.string(),
  agent_type: z.string(),
  config: z.record(z.string(), z.unknown()),
  metadata: z.record(z.string(), z.unknown()),
  created_at: z.string(),
});
export type PendingSession = z.infer<typeof PendingSessionSchema>;

export const encodePendingSession = (session: PendingSession): string => JSON.stringify(session);

/** Null for a session that Redis does not have, or that was deleted. */
export const decodePendingSession = (text: string | null): PendingSession | null =>
  text === null || text === DELETED_SESSION ? null : PendingSessionSchema.parse(parseJson(text));
