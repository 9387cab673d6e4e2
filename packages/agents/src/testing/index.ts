/** Strict fakes of the ports, for the tests of agents: of this project, and of those who write plugins. */
export { createMemoryJournal } from "./memory-journal.ts";
export { createScriptedModel, type ScriptedModel, type ScriptedTurn } from "./scripted-model.ts";
