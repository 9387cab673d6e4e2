/** An open turn as the database keeps it with the assistant's message: all that another job needs to go on with it. */
import type { ModelMessage } from "@agent-paas/agents/model/model.ts";
import { countTokens } from "@agent-paas/agents/model/tokens.ts";
import type { ClientCall } from "@agent-paas/shared/contract/client-tools.ts";
import { type ClientTool, ClientToolSchema } from "@agent-paas/shared/contract/client-tools.ts";
import { OpenTurnSchema } from "@agent-paas/shared/db/open-turns.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { wellFormedJson } from "@agent-paas/shared/text.ts";
import { z } from "zod";

type AssistantMessage = ModelMessage & { readonly role: "assistant" };

export type OpenTurn = {
  /** Those of the client. */
  readonly calls: readonly ClientCall[];
  /** The model turn of its job, as in `FinishedCall`. */
  readonly turn: number;
  /** As the model's provider wants it back. */
  readonly message: AssistantMessage;
  /** What the client can run; a request that brings results without tools means these. */
  readonly tools: readonly ClientTool[];
};

const StoredSchema = OpenTurnSchema.extend({
  turn: z.int(),
  /** Of the calls. */
  tokens: z.number(),
  message: z.custom<AssistantMessage>((message) => typeof message === "object" && message !== null),
  tools: z.array(ClientToolSchema),
});

/** A longer reasoning is left out, with what belongs to it. */
const MAX_CHARS = 1_024 * 1_024;

export function encodeOpenTurn({ message, ...turn }: OpenTurn): string {
  const { reasoning, extra, ...bare } = message;
  const calls = bare.toolCalls ?? [];
  const tokens = calls.reduce((sum, call) => sum + countTokens(`${call.name}${call.arguments}`), 0);
  const whole = wellFormedJson(JSON.stringify({ ...turn, tokens, message }));
  if (whole.length <= MAX_CHARS || (reasoning === undefined && extra === undefined)) return whole;
  return wellFormedJson(JSON.stringify({ ...turn, tokens, message: bare }));
}

/** Null for one that a later version may have written. */
export const decodeOpenTurn = (text: string): (OpenTurn & { readonly tokens: number }) | null =>
  StoredSchema.safeParse(parseJson(text)).data ?? null;
