/**
 * The timeline of a job: its attempts, and the pieces of work within them, with their times. The worker that has the
 * job records it and leaves it in Redis while the job runs; with its end, or its suspension, it goes into its row.
 */
import { z } from "zod";
import { parseJson } from "../json/exact-json.ts";
import { TokenCountsSchema } from "./jobs.ts";

/**
 * `model`: one model turn. `tool`: one tool call. `retrieval`: one search in stored documents. `delegate`: one run of a
 * child. `work`: what an agent of one's own does once over all attempts.
 */
export const STEP_KINDS = ["model", "tool", "retrieval", "delegate", "work"] as const;
export type StepKind = (typeof STEP_KINDS)[number];

/** `in_doubt`: it may have taken effect. `interrupted`: its attempt ended first. */
export const STEP_STATUSES = ["running", "completed", "failed", "in_doubt", "interrupted"] as const;
export type StepStatus = (typeof STEP_STATUSES)[number];

/**
 * How an attempt ended: as its job; `suspended`, it waits for people; `retried` after a passing error; `requeued` by a
 * worker that stopped; or `lost` with its worker.
 */
export const ATTEMPT_OUTCOMES = [
  ...["completed", "failed", "cancelled"],
  ...["suspended", "retried", "requeued", "lost"],
] as const;

/** Times are in ms since 1970, by the installation's clock. */
const TimelineStepSchema = z.object({
  /** From 1, in the order of beginnings. */
  id: z.int(),
  /** The delegate within which it was done. */
  parent: z.int().nullable(),
  attempt: z.int(),
  kind: z.enum(STEP_KINDS),
  name: z.string(),
  /** Of a delegate: the agent that was run. */
  agent: z.string().optional(),
  status: z.enum(STEP_STATUSES),
  started: z.number(),
  ended: z.number().nullable(),
  /** Of a model turn: when its first text or reasoning came. */
  first_token: z.number().optional(),
  usage: TokenCountsSchema.optional(),
});
export type TimelineStep = z.infer<typeof TimelineStepSchema>;

const TimelineAttemptSchema = z.object({
  attempt: z.int(),
  worker: z.string(),
  started: z.number(),
  /** Of one that was lost with its worker: when that was noticed. */
  ended: z.number().nullable(),
  outcome: z.enum(ATTEMPT_OUTCOMES).nullable(),
});
export type TimelineAttempt = z.infer<typeof TimelineAttemptSchema>;
export type AttemptOutcome = NonNullable<TimelineAttempt["outcome"]>;

export const TimelineSchema = z.object({
  attempts: z.array(TimelineAttemptSchema),
  steps: z.array(TimelineStepSchema),
  /** Whether earlier steps or attempts were left out. */
  truncated: z.boolean(),
});
export type Timeline = z.infer<typeof TimelineSchema>;

/** Null for none, and for what another version wrote and this one cannot read. */
export function parseTimeline(text: string | null | undefined): Timeline | null {
  if (text === null || text === undefined) return null;
  try {
    return TimelineSchema.safeParse(parseJson(text)).data ?? null;
  } catch {
    return null;
  }
}

/** The one that knows of more: of a later attempt, or how the latest ended. The first of equals. */
export function fullerTimeline(one: Timeline | null, other: Timeline | null): Timeline | null {
  if (one === null || other === null) return one ?? other;
  const known = ({ attempts }: Timeline) => {
    const last = attempts.at(-1);
    return (last?.attempt ?? 0) + (last === undefined || last.outcome === null ? 0 : 0.5);
  };
  return known(other) > known(one) ? other : one;
}
