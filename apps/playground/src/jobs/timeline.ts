/**
 * The story of a job as rows, in the order of their beginnings: what it waited for, and attempts with what was done in
 * them.
 */
import type { Attempt, JobStep, JobSteps } from "@agent-paas/client";

export type Row = {
  readonly id: string;
  /** 0: an attempt or a wait; steps of attempts begin at 1. */
  readonly depth: number;
  /** `attempt`; `queue`, `retry` or `person`, which a job waits for; or the kind of a step. */
  readonly kind: string;
  readonly name: string;
  /** What became of it; null for a wait. */
  readonly status: string | null;
  readonly worker: string | null;
  /** In ms since 1970. */
  readonly from: number;
  readonly to: number;
  readonly isOpen: boolean;
  /** Of a model turn. */
  readonly firstToken: number | null;
  readonly outputTokens: number | null;
};

const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

export const hasEnded = ({ status }: Pick<JobSteps, "status">): boolean => ENDED.has(status);

/** Open rows end at `clock`, but not before anything that is known: this machine's clock may be slow. */
export function timelineOf({ attempts, steps }: Pick<JobSteps, "attempts" | "steps">, clock: number): readonly Row[] {
  const times = [...attempts, ...steps].flatMap(({ started_at, ended_at }) => [started_at, ended_at ?? started_at]);
  const now = Math.max(clock, ...times.map((time) => Date.parse(time)));

  const waits = steps.filter(({ kind }) => kind === "wait").map((wait) => waitRow(wait, now));
  const work = Map.groupBy(
    steps.filter(({ kind }) => kind !== "wait"),
    ({ attempt }) => attempt,
  );
  const known = new Set(attempts.map(({ attempt }) => attempt));
  // Of a job of very many attempts, the first are left out.
  const others = [...work].filter(([attempt]) => !known.has(attempt)).map(([, others]) => stepRows(others, now));
  const phases = [
    ...waits.filter(({ from, to, isOpen }) => to > from || isOpen).map((row) => [row]),
    ...others,
    ...attempts.map((one) => [attemptRow(one, now), ...stepRows(work.get(one.attempt) ?? [], now)]),
  ];
  return phases.toSorted(([one], [other]) => (one?.from ?? 0) - (other?.from ?? 0)).flat();
}

const timesOf = ({ started_at, ended_at }: Attempt | JobStep, now: number) => ({
  from: Date.parse(started_at),
  to: ended_at === null ? now : Date.parse(ended_at),
  isOpen: ended_at === null,
});

const NO_TURN = { worker: null, firstToken: null, outputTokens: null };

const waitRow = (wait: JobStep, now: number): Row => ({
  ...{ id: wait.id, depth: 0, kind: wait.name, name: "", status: null, ...NO_TURN },
  ...timesOf(wait, now),
});

const attemptRow = (attempt: Attempt, now: number): Row => ({
  ...{ id: `attempt ${attempt.attempt}`, depth: 0, kind: "attempt", name: String(attempt.attempt), ...NO_TURN },
  worker: attempt.worker,
  status: attempt.outcome ?? "running",
  ...timesOf(attempt, now),
});

/** Each step is followed by those within it. */
function stepRows(steps: readonly JobStep[], now: number): readonly Row[] {
  const ids = new Set(steps.map(({ id }) => id));
  const within = Map.groupBy(steps, ({ parent_id }) => (parent_id !== null && ids.has(parent_id) ? parent_id : null));
  const rowsOf = (parent: string | null, depth: number): readonly Row[] =>
    (within.get(parent) ?? []).flatMap((step) => [stepRow(step, depth, now), ...rowsOf(step.id, depth + 1)]);
  return rowsOf(null, 1);
}

const stepRow = (step: JobStep, depth: number, now: number): Row => ({
  id: `step ${step.id}`,
  depth,
  kind: step.kind,
  name:
    step.agent_type === undefined || step.agent_type === step.name ? step.name : `${step.name} · ${step.agent_type}`,
  status: step.status,
  worker: null,
  ...timesOf(step, now),
  firstToken: step.first_token_at === undefined ? null : Date.parse(step.first_token_at),
  outputTokens: step.usage?.output_tokens ?? null,
});

/** Shorter turns say nothing of the speed of a model, ms. */
const SHORTEST_MS = 50;

/** Of one model turn, from its first token on; null if it says nothing. */
export function tokensPerSecond({ kind, from, to, firstToken, outputTokens, isOpen }: Row): number | null {
  const ms = to - (firstToken ?? from);
  if (kind !== "model" || isOpen || outputTokens === null || ms < SHORTEST_MS) return null;
  return (outputTokens * 1_000) / ms;
}

/** Over all turns of which both is known; null for none. */
export function jobTokensPerSecond(rows: readonly Row[]): number | null {
  const turns = rows.filter((row) => tokensPerSecond(row) !== null);
  const tokens = turns.reduce((sum, { outputTokens }) => sum + (outputTokens ?? 0), 0);
  const ms = turns.reduce((sum, { from, to, firstToken }) => sum + to - (firstToken ?? from), 0);
  return ms === 0 ? null : (tokens * 1_000) / ms;
}
