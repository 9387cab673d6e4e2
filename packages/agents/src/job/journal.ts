/**
 * The journal port (I5): what a job has finished is not done again when the job starts over. A step is found by its
 * kind and input: the n-th step with the same kind and input is the n-th, in whatever order steps are begun.
 */
export type Step = {
  /** What sort of step it is: `model`, `tool`, `delegate`, or an agent's own word. */
  readonly kind: string;
  /** What the step is done with, as JSON can hold it; the same input is the same step. */
  readonly input: unknown;
  /** False: when an attempt broke off inside the step, it is not known how it ended, and it must not be done again. */
  readonly idempotent: boolean;
};

export type BegunJournalEntry =
  /** A former attempt finished it with this value. */
  | { readonly state: "finished"; readonly value: unknown }
  /** A former attempt began it and did not finish it, and it must not be done again. */
  | { readonly state: "in_doubt" }
  | {
      readonly state: "new";
      /** Names the step, the same in every attempt. */
      readonly id: string;
      /** Writes the step's value, what JSON can hold, at most 1 MiB. Rejects when the job is another attempt's by now. */
      finish(value: unknown): Promise<void>;
    };

export type Journal = {
  /** Rejects when the job is another attempt's by now: then the step must not be done. */
  begin(step: Step): Promise<BegunJournalEntry>;
};
