/** What both POSTs share: resolve the session, check the config against the agent, mint ids, accept. */
import { createHash } from "node:crypto";
import type { JobKind, JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { LOCALES, type Locale, LocaleSchema } from "@agent-paas/shared/contract/locale.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import type { Request } from "express";
import type { Caller } from "../http/route.ts";
import { validate } from "../http/validate.ts";
import type { Accepted, Idempotency, OnBusy } from "../queue/job-producer.ts";
import type { Services } from "../services.ts";
import { findSession } from "./find-session.ts";

export type JobRequest = {
  readonly kind: JobKind;
  readonly agentType: string;
  /** An old session, or null. */
  readonly sessionId: string | null;
  /** Whether a request without a session begins one. */
  readonly beginsSession: boolean;
  readonly text: string;
  readonly input?: unknown;
  readonly config: Record<string, unknown>;
  readonly limits: JobPayload["limits"];
  readonly metadata: Record<string, unknown>;
  readonly onBusy: OnBusy;
};

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/** Throws the error that the request deserves; then nothing was accepted. */
export async function acceptJob(
  services: Services,
  req: Request,
  caller: Caller,
  request: JobRequest,
): Promise<Accepted> {
  const { owner, requestId } = caller;
  const idempotency = readIdempotency(req);
  const agent = await services.agentCatalog.find(request.agentType);
  const session = request.sessionId === null ? null : await findSession(services, owner, request.sessionId);

  // A session keeps the config that it began with; what a turn brings goes over it.
  const inherited = session?.agent_type === request.agentType ? session.config : {};
  const config = { ...inherited, ...request.config };
  validate(services.agentCatalog.configValidator(agent), config, ["config"]);

  const acceptedAt = new Date().toISOString();
  const sessionId = session?.id ?? (request.beginsSession ? newId() : null);
  const payload: JobPayload = {
    job_id: newId(),
    kind: request.kind,
    owner,
    agent_type: request.agentType,
    session_id: sessionId,
    ...(session === null && sessionId !== null && idempotency === null ? { begins_session: true } : {}),
    text: request.text,
    ...(request.input === undefined ? {} : { input: request.input }),
    config,
    limits: request.limits,
    metadata: request.metadata,
    locale: localeOf(req),
    request_id: requestId,
    accepted_at: acceptedAt,
  };
  const newSession =
    session === null && sessionId !== null
      ? {
          id: sessionId,
          owner,
          agent_type: request.agentType,
          config,
          metadata: request.metadata,
          created_at: acceptedAt,
        }
      : null;

  const accepted = await services.producer.accept({ payload, newSession, onBusy: request.onBusy, idempotency });
  caller.note({ job_id: accepted.jobId, kind: request.kind, is_new: accepted.isNew });
  return accepted;
}

/** With no preference this is the first of them, with a preference for none of them too. */
export const localeOf = (req: Request): Locale => LocaleOrFirstSchema.parse(req.acceptsLanguages(...LOCALES));

const LocaleOrFirstSchema = LocaleSchema.catch(LOCALES[0]);

export function readIdempotency(req: Request): Idempotency | null {
  const key = req.get("idempotency-key");
  if (key === undefined) return null;
  if (!IDEMPOTENCY_KEY.test(key)) {
    throw new PlatformError("invalid_request", {
      message: "Idempotency-Key: expected 1 to 255 printable ASCII characters",
      param: "Idempotency-Key",
    });
  }
  // The path is part of what the key stands for: the same body may be sent to two agents.
  return { key, bodyHash: createHash("sha256").update(`${req.path}\n`).update(JSON.stringify(req.body)).digest("hex") };
}
