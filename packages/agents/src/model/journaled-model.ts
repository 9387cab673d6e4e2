/**
 * I5 for model turns: a turn that calls tools, or whose request sets `keep`, is kept in the journal when it is
 * finished. When the job starts over, the turn is replayed from the journal and the provider is not asked.
 */
import type { Journal } from "../job/journal.ts";
import type { TurnWatch } from "./last-turn.ts";
import type { Model, ModelChunk, ModelRequest, ModelTurn } from "./model.ts";

export type JournaledModelOptions = {
  /** Keeps every finished turn: a child's turns cost as much to repeat as the child itself. Default: false. */
  readonly keepAll?: boolean;
  /** Is told of the turns that are replayed. Default: nobody. */
  readonly watch?: TurnWatch;
};

export function createJournaledModel(
  model: Model,
  journal: Journal,
  { keepAll = false, watch }: JournaledModelOptions = {},
): Model {
  async function* keepTurn(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelChunk, ModelTurn> {
    // The tools are no part of the identity: they may differ between attempts, and the messages do not.
    const { keep = keepAll, tools: _, ...input } = request;
    const entry = await journal.begin({ kind: "model", input, idempotent: true });
    if (entry.state === "finished") {
      const turn = entry.value as ModelTurn;
      if (turn.content !== "") yield { type: "text", content: turn.content };
      watch?.ended(turn);
      return turn;
    }
    const turn = yield* model.stream(request, signal);
    if (entry.state === "new" && (keep || turn.toolCalls.length > 0)) await entry.finish(turn);
    return turn;
  }

  return {
    stream: (request, signal) =>
      keepAll || request.keep || request.tools?.length ? keepTurn(request, signal) : model.stream(request, signal),
  };
}
