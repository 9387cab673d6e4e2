/**
 * The model turns of jobs that ended with calls of the client, whole: as the job that goes on sends them back to their
 * provider. The messages of a session have their calls and results cut, and nothing of what a provider wants back.
 */
import { bareCall, type ModelMessage } from "@agent-paas/agents/model/model.ts";
import type { WholeTurnsRow } from "@agent-paas/shared/db/rows.ts";
import type { Storage } from "@agent-paas/shared/db/storage.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { wellFormedJson } from "@agent-paas/shared/text.ts";
import { createNewestReader } from "./newest-by-job.ts";

export type WholeTurn = {
  /** The number of the model turn within its job, as in `FinishedCall`. */
  readonly turn: number;
  /** The assistant's message as it came, and the results of its calls. */
  readonly messages: readonly ModelMessage[];
};

/** The turns of each job by their numbers. */
export type WholeTurns = ReadonlyMap<string, ReadonlyMap<number, readonly ModelMessage[]>>;

/** Of one job, and of all jobs that one turn of a session has; the latest are kept. */
const MAX_BYTES = 4 * 1_024 * 1_024;

/** As many of the latest turns as are kept; null: none. */
export function encodeWholeTurns(turns: readonly WholeTurn[]): Pick<WholeTurnsRow, "bytes" | "turns"> | null {
  const texts: string[] = [];
  let bytes = 1;
  for (const turn of turns.toReversed()) {
    const text = [turn, withoutExtra(turn)].map(encode).find((each) => bytes + Buffer.byteLength(each) < MAX_BYTES);
    if (text === undefined) break;
    texts.unshift(text);
    bytes += Buffer.byteLength(text) + 1;
  }
  return texts.length === 0 ? null : { bytes, turns: `[${texts.join(",")}]` };
}

const encode = (turn: WholeTurn): string => wellFormedJson(JSON.stringify(turn));

const withoutExtra = ({ turn, messages }: WholeTurn): WholeTurn => ({
  turn,
  messages: messages.map((message) => (message.role === "assistant" ? bareMessage(message) : message)),
});

type AssistantMessage = ModelMessage & { readonly role: "assistant" };

/** Without its reasoning and without what its provider wants back. */
export function bareMessage({ reasoning: _, extra: __, toolCalls, ...message }: AssistantMessage): AssistantMessage {
  return toolCalls === undefined ? message : { ...message, toolCalls: toolCalls.map(bareCall) };
}

export function createWholeTurnsReader(storage: Pick<Storage, "table" | "sql" | "prepareRead">) {
  const newest = createNewestReader(storage, "whole_turns", "turns", MAX_BYTES);

  /** @param jobIds newest first. */
  return async function wholeTurnsOf(jobIds: readonly string[]): Promise<WholeTurns> {
    const turnsOf = (text: string) => byNumber(parseJson(text) as readonly WholeTurn[]);
    return new Map([...(await newest(jobIds))].map(([jobId, turns]) => [jobId, turnsOf(turns)]));
  };
}

const byNumber = (turns: readonly WholeTurn[]) => new Map(turns.map(({ turn, messages }) => [turn, messages]));
