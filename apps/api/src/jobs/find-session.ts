/** Finds a session of the caller: its row, or the pending session that Redis keeps until the row is written. */

import type { SessionRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema, namedId } from "@agent-paas/shared/ids.ts";
import { parseObject } from "@agent-paas/shared/json/exact-json.ts";
import type { Services } from "../services.ts";

export type FoundSession = {
  readonly id: string;
  readonly agent_type: string;
  readonly config: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
  readonly created_at: string;
  readonly updated_at: string;
  readonly title: string | null;
};

export type FindSessionServices = {
  readonly sessions: Pick<Services["sessions"], "find" | "isTaken">;
  readonly sessionQueues: Pick<Services["sessionQueues"], "findPending">;
};

/** Throws `session_not_found`, the same for a session of another owner and for one that does not exist (I8). */
export async function findSession(services: FindSessionServices, owner: string, id: string): Promise<FoundSession> {
  const found = await lookUp(services, owner, id);
  if (found === null) throw new PlatformError("session_not_found");
  return found;
}

/** Null: nobody has such a session, so the caller may begin it. Throws `session_not_found` for another owner's. */
export async function findSessionOrNone(
  services: FindSessionServices,
  owner: string,
  id: string,
): Promise<FoundSession | null> {
  const found = await lookUp(services, owner, id);
  if (found === null && (await services.sessions.isTaken(owner, id))) throw new PlatformError("session_not_found");
  return found;
}

/**
 * The session that a client calls by an id of its own, which need not exist yet; or by the platform's id of a session
 * that its owner has.
 */
export async function sessionIdOf(services: FindSessionServices, owner: string, name: string): Promise<string> {
  const id = IdSchema.safeParse(name).data;
  const isOwn = id !== undefined && (await lookUp(services, owner, id)) !== null;
  return isOwn ? id : namedId(owner, name);
}

// The pending session is removed once there is a row, so the row may have been written between the first two reads.
const lookUp = async (services: FindSessionServices, owner: string, id: string): Promise<FoundSession | null> =>
  (await findRow(services, owner, id)) ??
  (await findPending(services, owner, id)) ??
  (await findRow(services, owner, id));

export function sessionOfRow({
  id,
  agent_type,
  config,
  metadata,
  created_at,
  updated_at,
  title,
}: SessionRow): FoundSession {
  const parsed = { config: parseObject(config), metadata: parseObject(metadata) };
  // The column is missing until a worker of this version has migrated the database.
  return { id, agent_type, ...parsed, created_at, updated_at, title: title ?? null };
}

async function findRow({ sessions }: FindSessionServices, owner: string, id: string): Promise<FoundSession | null> {
  const row = await sessions.find(owner, id);
  return row === undefined ? null : sessionOfRow(row);
}

async function findPending(
  { sessionQueues }: FindSessionServices,
  owner: string,
  id: string,
): Promise<FoundSession | null> {
  const pending = await sessionQueues.findPending(owner, id);
  if (pending === null) return null;
  const { agent_type, config, metadata, created_at } = pending;
  return { id, agent_type, config, metadata, created_at, updated_at: created_at, title: null };
}
