/** Registers the agents that come with the platform. */
import "./chat-agent.ts";
import "./orchestrator-agent.ts";
import "./rag-agent.ts";
import "./tool-agent.ts";
