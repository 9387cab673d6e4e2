/** Why a turn ended, in the words of the protocols and gateways that providers come from. */

/** Spellings in lower case, with `_` between the words. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  stop: ["stop", "stopped", "eos", "eos_token", "end_turn", "stop_sequence", "complete", "completed", "done", "end"],
  length: [
    ...["length", "max_tokens", "max_output_tokens", "max_completion_tokens", "max_length", "model_length"],
    ...["model_context_window_exceeded", "context_window_exceeded", "token_limit"],
  ],
  tool_calls: ["tool_calls", "tool_call", "toolcalls", "tool_use", "function_call", "function_calls"],
  content_filter: [
    ...["content_filter", "content_filtered", "contentfilter", "content_filtering", "filtered", "blocked", "safety"],
    ...["recitation", "blocklist", "prohibited_content", "spii", "image_safety", "sensitive", "error_toxic"],
    ...["guardrail_intervened", "guardrails", "moderation", "content_policy", "content_policy_violation"],
  ],
  refusal: ["refusal", "refused"],
};

const BY_SPELLING: ReadonlyMap<string, string> = new Map(
  Object.entries(SPELLINGS).flatMap(([reason, spellings]) => spellings.map((spelling) => [spelling, reason])),
);

/** The turn has not ended: some providers write this into every chunk. */
const NONE: ReadonlySet<string> = new Set(["", "null", "none", "finish_reason_unspecified"]);

/** The provider gave up within the turn. */
const FAILURES: ReadonlySet<string> = new Set([
  ...["error", "failed", "failure", "abort", "aborted", "cancelled", "canceled", "network_error", "overloaded"],
  ...[
    "insufficient_system_resource",
    "malformed_function_call",
    "unexpected_tool_call",
    "timeout",
    "engine_overloaded",
  ],
]);

const MAX_CHARS = 64;

export type Finish = { readonly reason: string; readonly isFailure: boolean };

/** Null: the turn has not ended. */
export function readFinish(value: unknown): Finish | null {
  if (typeof value !== "string") return null;
  const words = value.trim().slice(0, MAX_CHARS);
  const spelling = words.toLowerCase().replaceAll("-", "_").replaceAll(" ", "_");
  if (NONE.has(spelling)) return null;
  return { reason: BY_SPELLING.get(spelling) ?? words, isFailure: FAILURES.has(spelling) };
}
