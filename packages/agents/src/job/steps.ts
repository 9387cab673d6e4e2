/** The port to a job's timeline: what its run does, as it begins and ends. Nothing of it changes what the run does. */
import type { TokenCounts } from "@agent-paas/shared/contract/jobs.ts";
import type { StepKind, StepStatus } from "@agent-paas/shared/contract/timeline.ts";

export type StepOrigin = {
  readonly kind: StepKind;
  /** The model, tool, collection or child; longer names are cut. */
  readonly name: string;
  /** Of a delegate: the agent that runs. */
  readonly agent?: string;
};

export type StepEnd = {
  /** What it turned out to be. Default: the name with which it began. */
  readonly name?: string | undefined;
  readonly usage?: TokenCounts;
};

export type OpenStep = {
  /** Of a model turn: a text or reasoning has come. Only the first call counts. */
  firstToken(): void;
  /** Only the first call counts. */
  end(status: Exclude<StepStatus, "running">, end?: StepEnd): void;
  /** Takes the step out of the timeline: it was no work of this attempt. */
  drop(): void;
  /** For the steps within it. */
  readonly steps: Steps;
};

export type Steps = { begin(origin: StepOrigin): OpenStep };

/** For runs of which nobody keeps a timeline. */
export const NO_STEPS: Steps = {
  begin: () => ({ firstToken() {}, end() {}, drop() {}, steps: NO_STEPS }),
};

/** How the work ended that threw: it failed, unless its run ended first. */
export const statusOfFailure = (signal: AbortSignal): "interrupted" | "failed" =>
  signal.aborted ? "interrupted" : "failed";
