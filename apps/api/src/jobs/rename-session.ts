import { newId } from "@agent-paas/shared/ids.ts";
import type { Services } from "../services.ts";
import { type AwaitJobEndOptions, awaitJobEnd } from "./await-end.ts";
import { type FoundSession, findSession } from "./find-session.ts";

export type RenameSessionServices = Pick<Services, "sessions" | "sessionQueues" | "events">;

export type Renaming = {
  readonly session: FoundSession;
  /** False: it still waits for a worker, and the session is as before. */
  readonly isRenamed: boolean;
};

/** Throws `session_not_found`, also for a session that is deleted meanwhile. */
export async function renameSessionWithin(
  services: RenameSessionServices,
  owner: string,
  sessionId: string,
  title: string,
  { withinMs, signal }: Pick<AwaitJobEndOptions, "withinMs" | "signal">,
): Promise<Renaming> {
  const { id } = await findSession(services, owner, sessionId);
  const receiptId = newId();
  await services.sessionQueues.rename(owner, id, title, receiptId);
  // As for deletions: the worker publishes the end in the event log of the receipt.
  const receipt = { findEnded: async () => null, isKnown: async () => true };
  const isRenamed = await awaitJobEnd(services, { jobId: receiptId, withinMs, signal, ...receipt });
  return { session: await findSession(services, owner, id), isRenamed };
}
