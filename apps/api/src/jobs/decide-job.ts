/** Takes decisions on what a job has asked: each is made once, whoever sends it and however often. */
import {
  answerValidator,
  type Decision,
  EXPIRED,
  type Inquiry,
  MAX_ANSWER_CHARS,
  MAX_REASON,
} from "@agent-paas/shared/contract/inquiries.ts";
import { isTerminal } from "@agent-paas/shared/contract/jobs.ts";
import type { InquiryRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { type DecisionsById, encodeDecision } from "@agent-paas/shared/redis/decisions.ts";
import type { Services } from "../services.ts";
import { validate } from "../validation/validate.ts";
import { findJob, statusOf } from "./find-job.ts";

export type DecideServices = Pick<Services, "jobs" | "queuedJobs" | "decisions" | "clock">;

export type RequestedDecision = Decision & { readonly request_id: string };

/**
 * Returns when all are made: by this call, or by an equal one before it. Throws without making any of them:
 * `request_not_found`, `decision_conflict`, `job_not_waiting`, `invalid_request`; and `job_not_found`. Throws
 * `not_replicated` when they are made and a failover may lose them.
 */
export async function decideJob(
  services: DecideServices,
  owner: string,
  jobId: string,
  requested: readonly RequestedDecision[],
): Promise<void> {
  const job = await findJob(services, owner, jobId);
  const inquiries = new Map((await services.jobs.inquiries(jobId)).map((row) => [row.request_id, row]));
  const known = await services.decisions.read(jobId);
  const seen = new Set<string>();
  const made = new Map<string, Decision>();
  let isNew = false;
  for (const [at, { request_id, ...decision }] of requested.entries()) {
    const row = inquiries.get(request_id);
    if (row === undefined) throw new PlatformError("request_not_found", { param: `decisions.${at}.request_id` });
    if (seen.has(request_id)) throw invalid(at, "request_id", "is decided twice");
    seen.add(request_id);
    assertFits(parseJson(row.inquiry) as Inquiry, decision, at);
    const before = decisionBefore(row, known, services.clock.now());
    if (before !== null && !isSame(before, decision)) throw conflict(request_id);
    isNew ||= before === null;
    // One that only Redis has may not be on enough replicas, or nobody may have been told to look at it.
    if (row.decision === null) made.set(request_id, before ?? decision);
  }
  const isEnded = isTerminal(statusOf(job));
  if (isNew && isEnded) throw new PlatformError("job_not_waiting");
  if (made.size === 0 || isEnded) return;
  const conflicting = await services.decisions.make(jobId, made);
  if (conflicting !== null) throw conflict(conflicting);
}

/** What is decided already; time decides, too. */
function decisionBefore(row: InquiryRow, known: DecisionsById, now: number): Decision | null {
  if (row.decision !== null) return parseJson(row.decision) as Decision;
  return known.get(row.request_id) ?? (Date.parse(row.expires_at) <= now ? EXPIRED : null);
}

/** Whoever rejects what has expired gets what they want. */
const isSame = (before: Decision, decision: Decision): boolean =>
  encodeDecision(before) === encodeDecision(decision) || (before.expired === true && decision.decision === "reject");

/** The fields that each decision takes besides `reason`. */
const FIELDS = {
  approval: { approve: [], reject: [], edit: ["arguments"] },
  input: { answer: ["answer"], reject: [] },
} as const satisfies Record<Inquiry["type"], Partial<Record<Decision["decision"], readonly string[]>>>;

function assertFits(inquiry: Inquiry, decision: Decision, at: number): void {
  const possible: Partial<Record<Decision["decision"], readonly string[]>> = FIELDS[inquiry.type];
  const fields = possible[decision.decision];
  if (fields === undefined) {
    throw invalid(at, "decision", `an ${inquiry.type} takes ${Object.keys(possible).join(", ")}`);
  }
  for (const field of ["arguments", "answer"] as const) {
    const isGiven = decision[field] !== undefined;
    if (isGiven !== fields.includes(field)) {
      throw invalid(at, field, isGiven ? `does not go with "${decision.decision}"` : "is required");
    }
  }
  if ((decision.reason?.length ?? 0) > MAX_REASON) {
    throw invalid(at, "reason", `is longer than ${MAX_REASON} characters`);
  }
  if (inquiry.type === "input" && decision.decision === "answer" && inquiry.schema !== null) {
    if (JSON.stringify(decision.answer).length > MAX_ANSWER_CHARS) {
      throw invalid(at, "answer", `is longer than ${MAX_ANSWER_CHARS} characters`);
    }
    validate(answerValidator(inquiry.schema), decision.answer, ["decisions", at, "answer"]);
  }
}

function invalid(at: number, field: string, problem: string): PlatformError {
  const param = `decisions.${at}.${field}`;
  return new PlatformError("invalid_request", { message: `${param}: ${problem}`, param });
}

const conflict = (requestId: string) =>
  new PlatformError("decision_conflict", { message: `Another decision was made on ${requestId} before.` });
