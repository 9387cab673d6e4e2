/**
 * The public interface: everything that a plugin should import. An agent yields texts, thoughts and progress; its
 * context holds the model, the tools, the documents, the journal and the other agents.
 */
export type { Citation } from "@agent-paas/shared/contract/jobs.ts";
export type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
export { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
export {
  type AgentClass,
  type AgentContext,
  type AgentInput,
  type AgentLogger,
  type AgentOutcome,
  type AgentRun,
  BaseAgent,
  type History,
  type HistoryMessage,
} from "./agent/agent.ts";
export type { Ask, Question, Reply } from "./agent/ask.ts";
export type { Agents, ChildOutcome, ChildRequest } from "./agent/delegation.ts";
export { type AgentEvent, progress, reset, text, thought } from "./agent/events.ts";
export { approveConfigField, modelConfigFields, modelOptions } from "./agents/model-config.ts";
export { type AnswerContext, type AnswerRequest, answer } from "./answer/answer.ts";
export { type FirstMessagesOptions, firstMessages } from "./answer/first-messages.ts";
export type { AgentJournal, OnceOptions, OnceWork } from "./job/agent-journal.ts";
export type { Budget } from "./job/budget.ts";
export { Suspended } from "./job/inquiries.ts";
export type { BegunJournalEntry, Journal, JournalEntry } from "./job/journal.ts";
export {
  type Model,
  type ModelChunk,
  type ModelMessage,
  type ModelOptions,
  type ModelRequest,
  type ModelTurn,
  type ProviderExtra,
  type ToolCall,
  type ToolSpec,
  toMessage,
} from "./model/model.ts";
export { type ProviderErrorOptions, providerError } from "./model/openai/provider-error.ts";
export type { ReportedUsage, UsageReport } from "./model/reported-usage.ts";
export { countTokens } from "./model/tokens.ts";
export { registerAgent, registerTool } from "./registry/register.ts";
export type { Passage, Retriever, SearchRequest } from "./retrieval/retriever.ts";
export type { JobTools, ToolOutcome } from "./tools/job-tools.ts";
export { defineTool, type Tool, type ToolContext, type ToolDefinition, ToolError } from "./tools/tool.ts";
