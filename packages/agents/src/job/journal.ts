/**
 * The journal port (I5): work that a job has finished is not repeated when the job starts over. An entry is identified
 * by its kind, its input, and how many entries with the same kind and input the attempt began before it. Attempts may
 * therefore begin their entries in different orders.
 */
export type JournalEntry = {
  /** What sort of work it is: `model`, `tool`, `delegate`, `plan`, or an agent's own word. */
  readonly kind: string;
  /** What the work depends on, as a JSON value; equal inputs make equal entries. */
  readonly input: unknown;
  /** False: the work must not be repeated when an attempt broke off inside it, because it may have taken effect. */
  readonly idempotent: boolean;
};

export type BegunJournalEntry =
  /** An earlier attempt finished the entry with this value. */
  | { readonly state: "finished"; readonly value: unknown }
  /** An earlier attempt began the entry and did not finish it, and the work must not be repeated. */
  | { readonly state: "in_doubt" }
  | {
      readonly state: "new";
      /** Names the entry, the same in every attempt; tools send it to other services as an idempotency key. */
      readonly id: string;
      /**
       * Writes the entry's value: what `JSON.stringify` makes of it, at most 1 MiB of characters. Rejects when another
       * attempt owns the job.
       */
      finish(value: unknown): Promise<void>;
    };

export type Journal = {
  /** Rejects when another attempt owns the job: then the work must not be done. */
  begin(entry: JournalEntry): Promise<BegunJournalEntry>;
};
