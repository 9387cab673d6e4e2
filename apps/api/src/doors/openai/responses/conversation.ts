/** Conversations: sessions that are stored with their first response. Until then the id is all there is. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { idTime } from "@agent-paas/shared/ids.ts";
import { DELETED_SESSION_TTL_S } from "@agent-paas/shared/redis/session-queue.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { findSessionOrNone } from "../../../jobs/find-session.ts";
import type { Services } from "../../../services.ts";
import { readConversationId } from "./ids.ts";

/** How long an id is a conversation without a response, ms: as long as it is remembered that one was deleted. */
const UNUSED_TTL_MS = DELETED_SESSION_TTL_S * SECOND;

export type ConversationServices = Pick<Services, "clock" | "sessions"> & {
  readonly sessionQueues: Pick<Services["sessionQueues"], "findPending" | "isDeleted">;
};

export type Conversation = { readonly id: string; readonly sessionId: string; readonly uuid: string };

/** Throws `session_not_found`, the same for one of another owner and for one that is gone. */
export async function findConversation(
  services: ConversationServices,
  owner: string,
  id: string,
  param: string,
): Promise<Conversation> {
  const notFound = () => new PlatformError("session_not_found", { param });
  const read = readConversationId(owner, id);
  if (read === null) throw notFound();
  const { sessionId, uuid } = read;
  if ((await findSessionOrNone(services, owner, sessionId)) === null) {
    const isUnused = services.clock.now() - idTime(uuid) < UNUSED_TTL_MS;
    if (!isUnused || (await services.sessionQueues.isDeleted(sessionId))) throw notFound();
  }
  return { id, sessionId, uuid };
}
