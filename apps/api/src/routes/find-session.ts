/** Finds a session of the caller: its row, or what Redis remembers until a worker has written it. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Services } from "../services.ts";

export type FoundSession = {
  readonly id: string;
  readonly agent_type: string;
  readonly config: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
  readonly created_at: string;
  readonly updated_at: string;
};

/** Throws `session_not_found`, the same for what is another's and what does not exist (I8). */
export async function findSession({ sessions, producer }: Services, owner: string, id: string): Promise<FoundSession> {
  const row = await sessions.find(owner, id);
  if (row !== undefined) {
    const { agent_type, created_at, updated_at } = row;
    return {
      id,
      agent_type,
      config: JSON.parse(row.config),
      metadata: JSON.parse(row.metadata),
      created_at,
      updated_at,
    };
  }
  const stub = await producer.findSessionStub(owner, id);
  if (stub === null) throw new PlatformError("session_not_found");
  const { agent_type, config, metadata, created_at } = stub;
  return { id, agent_type, config, metadata, created_at, updated_at: created_at };
}
