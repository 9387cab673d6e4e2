/**
 * The id that a client gets with `initialize`. Nothing is kept under it: it tells the request ids of one client from
 * those of the next, which have the same numbers and may have the same key, and says what the client declared.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema, newId } from "@agent-paas/shared/ids.ts";
import type { RequestId } from "./protocol.ts";

export type ClientSession = {
  readonly id: string;
  /** Whether the client can ask its user. */
  readonly elicits: boolean;
};

const ELICITS = "-elicits";

export const issueSessionId = (elicits: boolean): string => `${newId()}${elicits ? ELICITS : ""}`;

/** Throws `session_not_found`, upon which clients begin anew. */
export function readSessionId(header: string | undefined): ClientSession | null {
  if (header === undefined) return null;
  const elicits = header.endsWith(ELICITS);
  const id = IdSchema.safeParse(elicits ? header.slice(0, -ELICITS.length) : header);
  if (id.success) return { id: id.data, elicits };
  throw new PlatformError("session_not_found", { message: "Mcp-Session-Id: was not given by this server" });
}

/** Under what the platform remembers the job of a call, as with an Idempotency-Key. */
export const callKey = ({ id }: ClientSession, requestId: RequestId): string =>
  `mcp:${id}:${typeof requestId}:${requestId}`;
