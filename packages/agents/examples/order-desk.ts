/** An agent with a tool of its own: the model calls it to look up orders, and answers from the results. */
import type { AgentContext, AgentInput } from "@agent-paas/agents";
import { answer, BaseAgent, defineTool, firstMessages, registerAgent, ToolError } from "@agent-paas/agents";
import { z } from "zod";

/** Stands in for an order system. */
const ORDERS: ReadonlyMap<string, string> = new Map([
  ["A-1001", "arrives on Friday"],
  ["A-1002", "waits for its payment"],
]);

const orderStatus = defineTool({
  name: "order_status",
  description: "Tells where an order is. Look before you say anything about one.",
  parameters: z.strictObject({ order: z.string().describe("The order's number, such as A-1001.") }),
  idempotent: true,
  call({ order }) {
    const status = ORDERS.get(order);
    if (status === undefined) throw new ToolError(`There is no order "${order}". Ask for its number.`);
    return { order, status };
  },
});

const Config = z.strictObject({});

export class OrderDesk extends BaseAgent<typeof Config> {
  static readonly description = "Answers questions about orders.";
  static readonly config = Config;
  static readonly tools = [orderStatus.name];

  async *run(input: AgentInput, context: AgentContext<z.output<typeof Config>>) {
    const system_prompt = "You are the order desk of a shop. Be brief.";
    const messages = await firstMessages(input, { system_prompt, history_tokens: 4_000 });
    return yield* answer({ messages, tools: [orderStatus] }, context);
  }
}

registerAgent("order_desk")(OrderDesk);
