/** Accepts a job of an agent: finds the agent and the session, checks the config against the agent, makes the ids. */
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import type { JobKind, JobPayload, Replaced } from "@agent-paas/shared/contract/jobs.ts";
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import type { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { withoutAbsentNulls } from "@agent-paas/shared/json/absent-nulls.ts";
import type { AgentCatalog } from "../presence/agent-catalog.ts";
import type { Accepted, Idempotency, OnBusy } from "../queue/accept-request.ts";
import type { PendingSession } from "../queue/pending-session.ts";
import { SessionExists } from "../queue/sessions.ts";
import type { Services } from "../services.ts";
import { validate } from "../validation/validate.ts";
import {
  assertClientTools,
  type ClientToolRequest,
  type ClientToolServices,
  refusalOfResults,
} from "./client-tools.ts";
import { type FindSessionServices, findSession, findSessionOrNone } from "./find-session.ts";
import { type JobOrigin, originFields } from "./job-origin.ts";

/** Where they begin, and their jobs as far as these are known. */
export type ReplacedMessages = Replaced & { readonly jobs: readonly string[] };

export type JobRequest = ClientToolRequest & {
  readonly kind: JobKind;
  readonly agentType: string;
  /** Whether a request that names a session begins it if it does not exist. */
  readonly createsSession: boolean;
  /** Whether a request without a session begins one. */
  readonly beginsSession: boolean;
  /**
   * Whether the session that such a request begins is the job's alone: it has the job's id, and once unused it goes
   * after `JOB_RETENTION_DAYS`. Default: no.
   */
  readonly isSessionOfJob?: boolean;
  /** Empty for a request that brings nothing but results. */
  readonly text: string;
  /** The message, if it is more than a text. */
  readonly parts?: readonly MessagePart[] | undefined;
  readonly input?: unknown;
  /** Messages before those of the session, or before the text of a job without one. Default: none. */
  readonly history?: readonly GivenMessage[];
  /** Messages of the session that leave its history for those of this job. Default: none. */
  readonly replaces?: ReplacedMessages | null;
  readonly config: Record<string, unknown>;
  /** Whether the session's config holds where the request says nothing. Default: yes. */
  readonly inheritsConfig?: boolean;
  readonly limits: JobPayload["limits"];
  readonly metadata: Record<string, unknown>;
  /** What the door keeps of the request, to show it again. Default: nothing. */
  readonly request?: Readonly<Record<string, unknown>>;
  /** Why there is no such job, unless its Idempotency-Key has one already. Default: nothing. */
  readonly refusal?: PlatformError | null;
  readonly onBusy: OnBusy;
};

export type AcceptJobOrigin = JobOrigin & { readonly idempotency: Idempotency | null };

export type AcceptServices = Pick<Services, "accept" | "clock"> &
  FindSessionServices &
  ClientToolServices & { readonly agentCatalog: Pick<AgentCatalog, "find" | "configValidator"> };

/** Throws the error that the request deserves; then nothing was accepted. */
export async function acceptJob(
  services: AcceptServices,
  origin: AcceptJobOrigin,
  request: JobRequest,
): Promise<Accepted> {
  try {
    return await acceptOnce(services, origin, request);
  } catch (error) {
    if (!(error instanceof SessionExists)) throw error;
    // The session has begun between the look and the acceptance: this job is not its first.
    return acceptOnce(services, origin, { ...request, createsSession: false });
  }
}

async function acceptOnce(services: AcceptServices, origin: AcceptJobOrigin, request: JobRequest): Promise<Accepted> {
  const { owner, idempotency, note } = origin;
  const { kind, agentType, sessionId, createsSession, text, parts, input, limits, metadata, onBusy } = request;
  const { history = [], tools = [], toolChoice, toolResults = [], replaces, request: kept } = request;
  const agent = await services.agentCatalog.find(agentType);
  const find = createsSession ? findSessionOrNone : findSession;
  const session = sessionId === null ? null : await find(services, owner, sessionId);

  // A session keeps the config that it began with; the config of a later message overrides it key by key.
  const inherits = request.inheritsConfig !== false && session?.agent_type === agentType;
  const inherited = inherits ? session.config : {};
  const given = withoutAbsentNulls(agent.config_schema, request.config) as Record<string, unknown>;
  const config = { ...inherited, ...given };
  validate(services.agentCatalog.configValidator(agent), config, ["config"]);
  assertClientTools(request, agent);
  const refusal = request.refusal ?? (await refusalOfResults(services, owner, request, session === null));

  const acceptedAt = new Date(services.clock.now()).toISOString();
  const jobId = services.clock.newId();
  const newSession: PendingSession | null =
    session === null && (request.beginsSession || sessionId !== null)
      ? {
          id: sessionId ?? (request.isSessionOfJob ? jobId : services.clock.newId()),
          owner,
          agent_type: agentType,
          config,
          metadata,
          created_at: acceptedAt,
        }
      : null;
  const payload: JobPayload = {
    job_id: jobId,
    kind,
    agent_type: agentType,
    session_id: session?.id ?? newSession?.id ?? null,
    // Only an id that is made here is known to nobody else.
    ...(newSession === null || sessionId !== null ? {} : { begins_session: true }),
    text,
    ...(parts === undefined ? {} : { parts: [...parts] }),
    ...(input === undefined ? {} : { input }),
    ...(history.length === 0 ? {} : { history: [...history] }),
    ...(tools.length === 0 ? {} : { tools: [...tools] }),
    ...replacedFields(replaces ?? null),
    ...(toolChoice === undefined ? {} : { tool_choice: toolChoice }),
    ...(toolResults.length === 0 ? {} : { tool_results: [...toolResults] }),
    config,
    limits,
    metadata,
    ...(kept === undefined ? {} : { request: kept }),
    ...originFields(origin),
    accepted_at: acceptedAt,
  };
  const accepted = await services.accept({ payload, newSession, onBusy, idempotency, refusal });
  note({ job_id: accepted.jobId, kind, is_new: accepted.isNew });
  return accepted;
}

function replacedFields(replaces: ReplacedMessages | null): Pick<JobPayload, "replaced" | "replaces"> {
  if (replaces === null) return {};
  const { jobs, ...replaced } = replaces;
  return { replaced, replaces: [...jobs] };
}
