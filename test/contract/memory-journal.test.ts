import { createJournalStore, createMemoryJournal } from "@agent-paas/agents/testing";
import { journalContract } from "./journal-contract.ts";

journalContract("in memory", async () => {
  const store = createJournalStore();
  return { attempt: async () => createMemoryJournal(store) };
});
