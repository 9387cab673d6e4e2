/** An open turn as the database keeps it with the assistant's message: all that another job needs to go on with it. */
import type { ModelMessage } from "@agent-paas/agents/model/model.ts";
import { countTokens } from "@agent-paas/agents/model/tokens.ts";
import type { ClientCall } from "@agent-paas/shared/contract/client-tools.ts";
import { type ClientTool, ClientToolSchema } from "@agent-paas/shared/contract/client-tools.ts";
import { OpenTurnSchema } from "@agent-paas/shared/db/open-turns.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { wellFormedJson } from "@agent-paas/shared/text.ts";
import { z } from "zod";
import { bareMessage } from "./whole-turns.ts";

type AssistantMessage = ModelMessage & { readonly role: "assistant" };

export type OpenTurn = {
  /** Those of the client. */
  readonly calls: readonly ClientCall[];
  /** The model turn of its job, as in `FinishedCall`. */
  readonly turn: number;
  /** Stored without its reasoning. */
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

/** Without what only the job that goes on needs: see `whole-turns.ts`. */
export function encodeOpenTurn({ message, ...turn }: OpenTurn): string {
  const { toolCalls = [] } = message;
  const tokens = toolCalls.reduce((sum, call) => sum + countTokens(`${call.name}${call.arguments}`), 0);
  return wellFormedJson(JSON.stringify({ ...turn, tokens, message: bareMessage(message) }));
}

/** Null for one that a later version may have written. */
export const decodeOpenTurn = (text: string): (OpenTurn & { readonly tokens: number }) | null =>
  StoredSchema.safeParse(parseJson(text)).data ?? null;
