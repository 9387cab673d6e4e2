/**
 * A strict in-memory fake of the journal: it passes the contract suite of the real one. What one attempt finishes, the
 * next attempt finds; an attempt that has been followed by another can write nothing.
 */

import { newId } from "@agent-paas/shared/ids.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { type AgentJournal, createAgentJournal } from "../job/agent-journal.ts";
import type { BegunJournalEntry, Journal, JournalEntry } from "../job/journal.ts";

/** What all attempts of one job share. */
export type JournalStore = {
  readonly jobId: string;
  /** Attempts started so far; the latest owns the job. */
  attempts: number;
  /** By key; null: begun and not finished. Else the value as JSON. */
  readonly entries: Map<string, string | null>;
};

const MAX_VALUE_CHARS = 1024 * 1024;

export const createJournalStore = (): JournalStore => ({ jobId: newId(), attempts: 0, entries: new Map() });

/** The journal of a further attempt of the job. `signal`: aborts the attempt. Default: it is never aborted. */
export function createMemoryJournal(
  store: JournalStore = createJournalStore(),
  signal: AbortSignal = new AbortController().signal,
): AgentJournal {
  const attempt = ++store.attempts;
  // Like the database rows that a resumed job loads once: a later attempt's entries do not show up.
  const known = new Map(store.entries);
  const timesBegun = new Map<string, number>();

  function save(key: string, value: string | null): void {
    if (attempt !== store.attempts) throw new Error(`attempt ${attempt} of ${store.jobId} was superseded`);
    store.entries.set(key, value);
    known.set(key, value);
  }

  const journal: Journal = {
    async begin({ kind, input, idempotent }: JournalEntry): Promise<BegunJournalEntry> {
      const name = JSON.stringify([kind, JSON.stringify(input) ?? "null"]);
      const times = (timesBegun.get(name) ?? 0) + 1;
      timesBegun.set(name, times);
      const key = `${name}#${times}`;
      const left = known.get(key);
      if (typeof left === "string") return { state: "finished", value: parseJson(left) };
      if (left === null && !idempotent) return { state: "in_doubt" };
      if (!idempotent) save(key, null);
      return {
        state: "new",
        id: `${store.jobId}/${key}`,
        async finish(value) {
          const json = JSON.stringify(value) ?? "null";
          if (json.length > MAX_VALUE_CHARS) {
            throw new RangeError(`the value of a journal entry exceeds ${MAX_VALUE_CHARS} characters`);
          }
          save(key, json);
        },
      };
    },
  };
  return createAgentJournal(journal, signal);
}
