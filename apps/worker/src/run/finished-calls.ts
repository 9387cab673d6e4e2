/**
 * The tool calls of a job's own agent that have a result, for the history of its session. They are read from what the
 * agent asks the model: a turn's calls are finished when the next request brings their results. So it makes no
 * difference who made the calls, or whether the journal replays them.
 */
import type { Model, ModelMessage } from "@agent-paas/agents/model/model.ts";
import { cutText } from "@agent-paas/shared/text.ts";
import type { FinishedCall } from "../storage/tool-messages.ts";
import type { WholeTurn } from "../storage/whole-turns.ts";

/** Of one result, and of the arguments of one call; longer ones are cut. */
const MAX_KEPT_CHARS = 8_000;
/** Of one job: the latest model turns are kept. */
const MAX_KEPT_CALLS = 100;

export type FinishedCalls = ReturnType<typeof createFinishedCalls>;

export function createFinishedCalls() {
  let turn = 0;
  let asked: ModelMessage | undefined;
  let continued: readonly ModelMessage[] = [];
  let calls: FinishedCall[] = [];
  let keepsTurns = false;
  const turns: WholeTurn[] = [];

  function keepTurn(messages: readonly ModelMessage[]): void {
    if (keepsTurns && turns.at(-1)?.turn !== turn) turns.push({ turn, messages });
  }

  function note(messages: readonly ModelMessage[]): void {
    const at = messages.findLastIndex(({ role }) => role !== "tool");
    const message = messages[at];
    if (message?.role !== "assistant" || message === asked || continued.includes(message)) return;
    const results = new Map(messages.slice(at + 1).map((each) => [callIdOf(each), each.content]));
    const finished = (message.toolCalls ?? []).flatMap(({ id, name, arguments: args }) => {
      const result = results.get(id);
      return result === undefined ? [] : [{ id, name, args, result }];
    });
    if (finished.length === 0) return;
    asked = message;
    turn += 1;
    keepTurn(messages.slice(at));
    calls.push(...finished.map(({ id, name, args, result }) => ({ id, name, ...kept(args, result), turn })));
    while (calls.length > MAX_KEPT_CALLS) calls = calls.filter((call) => call.turn !== calls[0]?.turn);
  }

  return {
    watch: (model: Model): Model => ({
      stream(request, signal) {
        note(request.messages);
        return model.stream(request, signal);
      },
    }),

    /**
     * Calls of an earlier job, whose results the request has brought, are no calls of this one. `keepsTurns`: whether
     * the job may end with calls of the client.
     */
    begin(job: { readonly continued: readonly ModelMessage[]; readonly keepsTurns: boolean }): void {
      ({ continued, keepsTurns } = job);
    },

    /** Notes the turn that the client goes on with; returns its number. */
    noteOpenTurn(messages: readonly ModelMessage[]): number {
      const before = turn;
      note(messages);
      if (turn === before && messages[0] !== asked) turn += 1;
      asked = messages[0];
      keepTurn(messages);
      return turn;
    },

    /** In the order of the calls. */
    list: (): readonly FinishedCall[] => calls,

    /** The model turns of these calls, whole, and the one that the client goes on with. */
    wholeTurns: (): readonly WholeTurn[] => turns,
  };
}

const callIdOf = (message: ModelMessage): string => (message.role === "tool" ? message.callId : "");

const kept = (args: string, result: string) => ({
  arguments: args.length <= MAX_KEPT_CHARS ? args : JSON.stringify({ cut: cutText(args, MAX_KEPT_CHARS) }),
  result: cut(result),
});

function cut(text: string): string {
  if (text.length <= MAX_KEPT_CHARS) return text;
  const begin = cutText(text, MAX_KEPT_CHARS);
  return `${begin}\n[cut: ${text.length - begin.length} more characters]`;
}
