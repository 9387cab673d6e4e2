/** For the tests of agents, this project's own and those of plugins: strict fakes, and a run without a platform. */
export { APPROVE_ALL } from "./approve-all.ts";
export { createJournalStore, createMemoryJournal, type JournalStore } from "./memory-journal.ts";
export { createMemoryVectorStore } from "./memory-vector-store.ts";
export { type AgentRunRecord, type RunAgentOptions, runAgent } from "./run-agent.ts";
export { createScriptedModel, type ScriptedModel, type ScriptedTurn } from "./scripted-model.ts";
