/**
 * Makes a conversation one that every provider takes, whatever happened in it: turns that failed, were cancelled or
 * said nothing, histories cut in the middle, calls without results. Strict providers refuse the whole request
 * otherwise, and every later one of the session.
 *
 * The result: one system message, first; then a user message; user and assistant alternate; each call of an assistant
 * message has an id of its own and is followed by its result; no message is empty, no character halved.
 */
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import type { ModelMessage, ProviderExtra, ToolCall } from "../model.ts";
import { objectArguments } from "./call-arguments.ts";
import { ANY_CALL_ID, type CallIdForm, createCallIds } from "./call-ids.ts";
import { CONTENT } from "./turn-extra.ts";

/** Stands where a message has to be and nobody said anything. In no language. */
const LEFT_OUT = "…";
/** The results of calls that were never made, and of those that returned nothing, for the model. */
const NOT_MADE = "The call was not made.";
const NO_RESULT = "(empty)";

type Call = { readonly call: ToolCall; result: string | null };
type Turn =
  | { readonly role: "user"; readonly content: string; readonly parts?: readonly MessagePart[] }
  | {
      readonly role: "assistant";
      readonly content: string;
      readonly reasoning?: string | undefined;
      readonly extra?: ProviderExtra | undefined;
      readonly calls: readonly Call[];
    };

type Question = Extract<Turn, { readonly role: "user" }>;

/** Pure and idempotent. */
export function mendConversation(
  messages: readonly ModelMessage[],
  form: CallIdForm = ANY_CALL_ID,
): readonly ModelMessage[] {
  const system = messages.filter(({ role, content }) => role === "system" && !isEmpty(content));
  const turns = alternate(mergeTurns(readTurns(messages)));
  const ids = createCallIds(form);
  return [
    ...(system.length === 0
      ? []
      : [{ role: "system" as const, content: joined(system.map(({ content }) => content)) }]),
    ...turns.flatMap((turn) => writeTurn(turn, ids)),
  ];
}

/** Pairs calls with their results, wherever those stand. Results of nothing, and empty messages, are left out. */
function readTurns(messages: readonly ModelMessage[]): Turn[] {
  const turns: Turn[] = [];
  // Providers may use the same ids again in each turn: a result belongs to the latest call of its id.
  const unanswered = new Map<string, Call[]>();
  for (const [at, message] of messages.entries()) {
    const content = (message.content ?? "").toWellFormed();
    if (message.role === "user") {
      // An empty question is one nevertheless if nothing else was asked.
      const isAsking = at === messages.length - 1 && turns.at(-1)?.role !== "user";
      const { parts } = message;
      if (parts !== undefined && parts.length > 0) turns.push({ role: "user", content, parts });
      else if (!isEmpty(content)) turns.push({ role: "user", content });
      else if (isAsking) turns.push({ role: "user", content: LEFT_OUT });
    } else if (message.role === "assistant") {
      const calls = (message.toolCalls ?? []).map((call): Call => ({ call, result: null }));
      const { reasoning, extra } = message;
      if (calls.length > 0 || !isEmpty(content)) turns.push({ role: "assistant", content, reasoning, extra, calls });
      for (const [id, same] of Map.groupBy(calls, ({ call }) => call.id)) unanswered.set(id, same);
    } else if (message.role === "tool") {
      const call = unanswered.get(message.callId)?.shift();
      if (call !== undefined) call.result = isEmpty(content) ? NO_RESULT : content;
    }
  }
  return turns;
}

/** Neighbours of one role become one message. Calls are a border: their results stand behind them. */
function mergeTurns(turns: readonly Turn[]): Turn[] {
  const merged: Turn[] = [];
  for (const turn of turns) {
    const last = merged.at(-1);
    if (turn.role === "user" && last?.role === "user") {
      merged[merged.length - 1] = joinQuestions(last, turn);
    } else if (turn.role === "assistant" && last?.role === "assistant" && last.calls.length === 0) {
      // What is to stand in the place of one text cannot stand in that of two.
      const { [CONTENT]: _, ...fields } = turn.extra?.fields ?? {};
      const extra = turn.extra === undefined ? {} : { extra: { ...turn.extra, fields } };
      merged[merged.length - 1] = { ...turn, ...extra, content: joined([last.content, turn.content]) };
    } else {
      merged.push(turn);
    }
  }
  return merged;
}

function joinQuestions(first: Question, second: Question): Question {
  const content = joined([first.content, second.content]);
  if (first.parts === undefined && second.parts === undefined) return { role: "user", content };
  const parts = [first, second].flatMap((each) => each.parts ?? [{ type: "text" as const, text: each.content }]);
  return { role: "user", content, parts };
}

/** A user begins, and after results the assistant speaks before the user does. */
function alternate(turns: readonly Turn[]): Turn[] {
  const complete: Turn[] = turns[0]?.role === "user" ? [] : [{ role: "user", content: LEFT_OUT }];
  for (const turn of turns) {
    const last = complete.at(-1);
    if (turn.role === "user" && last?.role === "assistant" && last.calls.length > 0) {
      complete.push({ role: "assistant", content: LEFT_OUT, calls: [] });
    }
    complete.push(turn);
  }
  return complete;
}

function writeTurn(turn: Turn, ids: (id: string) => string): ModelMessage[] {
  if (turn.role === "user") return [turn];
  const { content, reasoning, extra, calls } = turn;
  const said = {
    role: "assistant" as const,
    content,
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(extra === undefined ? {} : { extra }),
  };
  if (calls.length === 0) return [said];
  const named = calls.map(({ call, result }) => ({ ...call, id: ids(call.id), result }));
  const toolCalls = named.map(({ result: _, ...call }) => ({ ...call, arguments: objectArguments(call.arguments) }));
  return [
    { ...said, toolCalls },
    ...named.map(({ id, result }) => ({ role: "tool" as const, callId: id, content: result ?? NOT_MADE })),
  ];
}

const isEmpty = (content: string): boolean => content.trim() === "";
const joined = (contents: readonly string[]): string =>
  contents
    .filter((content) => !isEmpty(content))
    .map((content) => content.toWellFormed())
    .join("\n\n");
