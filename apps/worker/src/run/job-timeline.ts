/**
 * Records the timeline of one job while an attempt runs: a piece of work costs it an object and two readings of the
 * clock, a token nothing. Bounded: of more steps than the most that are kept, the oldest that have ended go first.
 */
import type { OpenStep, StepOrigin, Steps } from "@agent-paas/agents/job/steps.ts";
import type { AttemptOutcome, Timeline, TimelineAttempt, TimelineStep } from "@agent-paas/shared/contract/timeline.ts";
import { cutText, wellFormedJson } from "@agent-paas/shared/text.ts";

const MAX_STEPS = 500;
const MAX_ATTEMPTS = 100;
const MAX_NAME_CHARS = 120;

export type JobTimelineOptions = {
  /** What earlier attempts left. Default: nothing. */
  readonly earlier?: Timeline | null;
  /** How many attempts there were; some that left nothing count as left out. Default: those of `earlier`. */
  readonly attempted?: number;
  /** The installation's clock. */
  readonly now: () => number;
  /** Is told of every change. Default: nobody. */
  readonly onChange?: () => void;
};

export type JobTimeline = ReturnType<typeof createJobTimeline>;

export function createJobTimeline({ earlier = null, attempted = 0, now, onChange = () => {} }: JobTimelineOptions) {
  const attempts: TimelineAttempt[] = [...(earlier?.attempts ?? [])];
  const steps: TimelineStep[] = [...(earlier?.steps ?? [])];
  let truncated = earlier?.truncated === true || attempted > (attempts.at(-1)?.attempt ?? 0);
  let lastId = steps.reduce((most, { id }) => Math.max(most, id), 0);
  const time = () => Math.round(now());
  if (attempts.at(-1)?.outcome === null) closeAttempt("lost");

  function closeAttempt(outcome: AttemptOutcome): void {
    const last = attempts.at(-1);
    if (last === undefined) return;
    const ended = time();
    Object.assign(last, { outcome, ended });
    for (const step of steps) if (step.status === "running") Object.assign(step, { status: "interrupted", ended });
  }

  /** What no room is left for is the oldest that has ended; if all run on, the oldest. */
  function makeRoom(): void {
    if (steps.length < MAX_STEPS) return;
    const ended = steps.findIndex(({ status }) => status !== "running");
    steps.splice(Math.max(0, ended), 1);
    truncated = true;
  }

  function begin(parent: number | null, { kind, name, agent }: StepOrigin): OpenStep {
    makeRoom();
    const step: TimelineStep = {
      ...{ id: ++lastId, parent, attempt: attempts.at(-1)?.attempt ?? 0, kind, name: cutText(name, MAX_NAME_CHARS) },
      ...(agent === undefined ? {} : { agent: cutText(agent, MAX_NAME_CHARS) }),
      ...{ status: "running", started: time(), ended: null },
    };
    steps.push(step);
    onChange();
    return {
      firstToken() {
        if (step.first_token !== undefined || step.status !== "running") return;
        step.first_token = time();
        onChange();
      },
      end(status, { name: endName, usage } = {}) {
        if (step.status !== "running") return;
        Object.assign(step, { status, ended: time() });
        if (endName !== undefined) step.name = cutText(endName, MAX_NAME_CHARS);
        if (usage !== undefined) step.usage = countsOf(usage);
        onChange();
      },
      drop() {
        const at = steps.indexOf(step);
        if (at >= 0) steps.splice(at, 1);
        onChange();
      },
      steps: { begin: (origin) => begin(step.id, origin) },
    };
  }

  return {
    beginAttempt(attempt: number, worker: string): void {
      if (attempts.length >= MAX_ATTEMPTS) {
        attempts.shift();
        truncated = true;
      }
      attempts.push({ attempt, worker, started: time(), ended: null, outcome: null });
      onChange();
    },

    /** What runs still is interrupted. The last call counts. */
    endAttempt(outcome: AttemptOutcome): void {
      closeAttempt(outcome);
      onChange();
    },

    steps: { begin: (origin: StepOrigin) => begin(null, origin) } satisfies Steps,

    /** JSON of a `Timeline`. */
    encode: (): string => wellFormedJson(JSON.stringify({ attempts, steps, truncated } satisfies Timeline)),
  };
}

const countsOf = ({ input_tokens, output_tokens, total_tokens }: NonNullable<TimelineStep["usage"]>) => ({
  ...{ input_tokens, output_tokens, total_tokens },
});
