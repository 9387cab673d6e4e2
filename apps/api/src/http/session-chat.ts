/** For doors whose requests name a session by an id of the client's, and are answered by the stream of a job of it. */
import type { Request, Response } from "express";
import { z } from "zod";
import { acceptJob, type JobRequest } from "../jobs/accept-job.ts";
import { decidedOf } from "../jobs/session-jobs.ts";
import type { Accepted, Idempotency } from "../queue/accept-request.ts";
import type { Services } from "../services.ts";
import { validate } from "../validation/validate.ts";
import { streamAccepted } from "./answer-job.ts";
import type { KnownInquiries } from "./asking-translate.ts";
import type { Caller } from "./door.ts";
import { originOf } from "./job-headers.ts";
import type { StreamFormat } from "./stream-format.ts";

export const AgentIdSchema = z.string().min(1).max(64).describe("The id of an agent.");

type Added = Omit<JobRequest, "kind" | "agentType" | "sessionId" | "createsSession" | "beginsSession">;

/** Accepts a job of the path's agent; the session begins with its first. Throws what `acceptJob` throws. */
export const acceptInSession = (
  services: Services,
  req: Request,
  caller: Caller,
  {
    sessionId,
    idempotency,
    ...added
  }: Added & { readonly sessionId: string; readonly idempotency: Idempotency | null },
): Promise<Accepted> =>
  acceptJob(
    services,
    { ...originOf(req, caller, added.text), idempotency },
    {
      ...{ ...added, kind: "chat", sessionId, createsSession: true, beginsSession: false },
      agentType: validate(AgentIdSchema, req.params.agent_id, ["agent_id"]),
    },
  );

export type ChatStream = {
  readonly jobId: string;
  readonly sessionId: string;
  readonly isNew: boolean;
  /** The inquiries that the client has seen. */
  readonly seen: ReadonlySet<string>;
};

export async function streamChat(
  res: Response,
  services: Services,
  { owner }: Caller,
  { jobId, sessionId, isNew, seen }: ChatStream,
  formatOf: (known: KnownInquiries) => StreamFormat,
): Promise<void> {
  const decided = isNew ? new Map() : await decidedOf(services, owner, jobId);
  streamAccepted(res, services, formatOf({ decided, seen }), owner, { jobId, sessionId, isNew });
}
