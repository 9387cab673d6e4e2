/** What Redis remembers of a session until its row is sure to exist: enough to own it and to inherit its config. */
import { DELETED_SESSION } from "@agent-paas/shared/redis/turns-script.ts";
import { z } from "zod";

const SessionStubSchema = z.object({
  id: z.string(),
  owner: z.string(),
  agent_type: z.string(),
  config: z.record(z.string(), z.unknown()),
  metadata: z.record(z.string(), z.unknown()),
  created_at: z.string(),
});
export type SessionStub = z.infer<typeof SessionStubSchema>;

export const encodeSessionStub = (stub: SessionStub): string => JSON.stringify(stub);

/** Null for a session that Redis does not know, or that was deleted. */
export const decodeSessionStub = (text: string | null): SessionStub | null =>
  text === null || text === DELETED_SESSION ? null : SessionStubSchema.parse(JSON.parse(text));
