/** Registers the agents that come with the platform. */
import type { AgentRegistry } from "../registry/agent-registry.ts";
import { ChatAgent } from "./chat-agent.ts";
import { ORCHESTRATOR_ID, OrchestratorAgent } from "./orchestrator-agent.ts";
import { RagAgent } from "./rag-agent.ts";
import { ToolAgent } from "./tool-agent.ts";

export function registerBuiltInAgents(agents: AgentRegistry): void {
  agents.register("chat_basic", ChatAgent);
  agents.register(ORCHESTRATOR_ID, OrchestratorAgent);
  agents.register("rag_basic", RagAgent);
  agents.register("tool_basic", ToolAgent);
}
