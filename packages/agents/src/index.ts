/** What a plugin imports: everything an agent is made of. */
export {
  type AgentClass,
  type AgentContext,
  type AgentInput,
  type AgentOutcome,
  type AgentRun,
  BaseAgent,
  type History,
  type HistoryMessage,
} from "./agent.ts";
export { type AgentEvent, progress, text, thought } from "./events.ts";
export type { Model, ModelChunk, ModelMessage, ModelRequest, ModelTurn } from "./model/model.ts";
export { registerAgent } from "./registry.ts";
