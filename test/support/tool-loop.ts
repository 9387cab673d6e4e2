/** A conversation in which a model has thought, called a tool and got its result. */
import type { ModelMessage } from "../../packages/agents/src/model/model.ts";

export const TOOL_LOOP: ModelMessage[] = [
  { role: "user", content: "Hi" },
  { role: "assistant", content: "Earlier.", reasoning: "Not this." },
  { role: "user", content: "Weather?" },
  {
    role: "assistant",
    content: "",
    reasoning: "I need\n the weather. ",
    toolCalls: [
      { id: "1", name: "t", arguments: "{}", extra: { extra_content: { google: { thought_signature: "c2ln" } } } },
    ],
  },
  { role: "tool", callId: "1", content: "sunny" },
];
