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
export async function findSession(services: Services, owner: string, id: string): Promise<FoundSession> {
  // What Redis remembers goes once there is a row, so the row may have come between the two looks.
  const found =
    (await findRow(services, owner, id)) ??
    (await findStub(services, owner, id)) ??
    (await findRow(services, owner, id));
  if (found === null) throw new PlatformError("session_not_found");
  return found;
}

async function findRow({ sessions }: Services, owner: string, id: string): Promise<FoundSession | null> {
  const row = await sessions.find(owner, id);
  if (row === undefined) return null;
  const { agent_type, created_at, updated_at } = row;
  const [config, metadata] = [JSON.parse(row.config), JSON.parse(row.metadata)];
  return { id, agent_type, config, metadata, created_at, updated_at };
}

async function findStub({ producer }: Services, owner: string, id: string): Promise<FoundSession | null> {
  const stub = await producer.findPendingSession(owner, id);
  if (stub === null) return null;
  const { agent_type, config, metadata, created_at } = stub;
  return { id, agent_type, config, metadata, created_at, updated_at: created_at };
}
