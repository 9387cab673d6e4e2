/** A journal for unit tests: what one attempt leaves, the next finds. */
import type { BegunJournalEntry, Journal } from "../job/journal.ts";

/** `left` is shared by the attempts of one job. */
export function createMemoryJournal(left: Map<string, { value?: unknown }> = new Map()): Journal {
  const timesBegun = new Map<string, number>();
  return {
    async begin({ kind, input, idempotent }): Promise<BegunJournalEntry> {
      const name = JSON.stringify([kind, input]);
      const times = (timesBegun.get(name) ?? 0) + 1;
      timesBegun.set(name, times);
      const id = `${name}#${times}`;
      const row = left.get(id);
      if (row !== undefined && "value" in row) return { state: "finished", value: row.value };
      if (row !== undefined && !idempotent) return { state: "in_doubt" };
      left.set(id, {});
      return { state: "new", id, finish: async (value) => void left.set(id, { value }) };
    },
  };
}
