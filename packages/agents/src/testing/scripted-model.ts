/**
 * A strict fake of the model: a request beyond the script throws, and `done()` throws when turns were not requested.
 */
import { NO_USAGE, type Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { Model, ModelRequest, ToolCall } from "../model/model.ts";

export type ScriptedTurn = {
  readonly pieces?: readonly string[];
  readonly toolCalls?: readonly ToolCall[];
  readonly usage?: Usage;
  /** Default: `tool_calls` or `stop`. */
  readonly finishReason?: string;
  readonly error?: Error;
};

export type ScriptedModel = Model & { readonly requests: ModelRequest[]; done(): void };

export function createScriptedModel(...script: ScriptedTurn[]): ScriptedModel {
  const requests: ModelRequest[] = [];
  return {
    requests,
    async *stream(request) {
      const turn = script[requests.length];
      requests.push(request);
      if (turn === undefined) throw new Error(`the script has no turn ${requests.length}`);
      const { pieces = [], toolCalls = [], usage = NO_USAGE, error } = turn;
      for (const content of pieces) yield { type: "text", content };
      if (error !== undefined) throw error;
      const { finishReason = toolCalls.length > 0 ? "tool_calls" : "stop" } = turn;
      return { content: pieces.join(""), toolCalls, usage, finishReason };
    },
    done() {
      if (requests.length !== script.length)
        throw new Error(`${script.length - requests.length} turns were not asked for`);
    },
  };
}
