import { newId } from "@agent-paas/shared/ids.ts";
import type { Services } from "../services.ts";
import { type AwaitJobEndOptions, awaitJobEnd } from "./await-end.ts";
import { findSession } from "./find-session.ts";

export type DeleteSessionServices = Pick<Services, "sessions" | "sessionQueues" | "events">;

type Wait = Pick<AwaitJobEndOptions, "withinMs" | "signal">;

/** False if the deletion still waits for a worker when the time is up. Throws `session_not_found` or `session_busy`. */
export async function deleteSessionWithin(
  services: DeleteSessionServices,
  owner: string,
  sessionId: string,
  wait: Wait,
): Promise<boolean> {
  const { id } = await findSession(services, owner, sessionId);
  return deleteOwnSession(services, owner, id, wait);
}

/**
 * The same for a session that is known to be the owner's, and that may not have begun: then it never will. Throws
 * `session_busy`.
 */
export async function deleteOwnSession(
  services: Omit<DeleteSessionServices, "sessions">,
  owner: string,
  id: string,
  { withinMs, signal }: Wait,
): Promise<boolean> {
  const receiptId = newId();
  await services.sessionQueues.delete(owner, id, receiptId);
  // The worker publishes the end of the deletion in the event log of the receipt, which has no row.
  const receipt = { findEnded: async () => null, isKnown: async () => true };
  return awaitJobEnd(services, { jobId: receiptId, withinMs, signal, ...receipt });
}
