/** What a model turn is offered: the agent's tools, those of the client, and whether it must call one. */
import type { ToolChoice } from "@agent-paas/shared/contract/client-tools.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { AgentContext } from "../agent/agent.ts";
import type { ModelRequest, ToolSpec } from "../model/model.ts";
import type { Tool } from "../tools/tool.ts";

type OfTheClient = Partial<Pick<AgentContext<unknown>, "clientTools" | "toolChoice">>;

/** Throws `tool_name_conflict`, or `invalid_request` for the choice of a tool that is not offered. */
export function createOffer(own: readonly Tool[], { clientTools = [], toolChoice }: OfTheClient) {
  const clash = clientTools.find(({ name }) => own.some((tool) => tool.name === name));
  if (clash !== undefined) {
    const message = `tools: "${clash.name}" is the name of a tool of the agent.`;
    throw new PlatformError("tool_name_conflict", { message, param: "tools" });
  }
  const tools = [...own, ...clientTools].map(({ name, description, parameters }) => ({
    name,
    description,
    parameters,
  }));
  assertOffered(toolChoice, tools);
  let choice = toolChoice;
  return {
    /** A call that is demanded again after it was made would be made for ever. */
    next(): Pick<ModelRequest, "tools" | "toolChoice"> {
      const request = { tools, ...(choice === undefined ? {} : { toolChoice: choice }) };
      if (choice !== "none") choice = undefined;
      return request;
    },
  };
}

function assertOffered(choice: ToolChoice | undefined, tools: readonly ToolSpec[]): void {
  if (choice === undefined || choice === "auto" || choice === "none") return;
  const isOffered = choice === "required" ? tools.length > 0 : tools.some(({ name }) => name === choice.name);
  if (isOffered) return;
  const which = choice === "required" ? "no tool" : `no tool "${choice.name}"`;
  throw new PlatformError("invalid_request", {
    message: `tool_choice: ${which} is offered to the model`,
    param: "tool_choice",
  });
}
