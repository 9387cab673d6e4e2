/** Strict fakes of the ports, for the tests of agents: of this project, and of those who write plugins. */
export { APPROVE_ALL } from "./approve-all.ts";
export { createJournalStore, createMemoryJournal, type JournalStore } from "./memory-journal.ts";
export { createMemoryVectorStore } from "./memory-vector-store.ts";
export { createScriptedModel, type ScriptedModel, type ScriptedTurn } from "./scripted-model.ts";
