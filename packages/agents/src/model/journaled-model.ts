/**
 * I5 for model turns: a turn that calls tools, or whose request sets `keep`, is kept in the journal when it is
 * finished. When the job starts over, the turn is replayed from the journal and the provider is not asked.
 */
import type { Journal } from "../job/journal.ts";
import type { TurnWatch } from "./last-turn.ts";
import { bareCall, type Model, type ModelChunk, type ModelRequest, type ModelTurn } from "./model.ts";
import type { ModelChoice } from "./model-choice.ts";

export type JournaledModelOptions = {
  /** Keeps every finished turn: a child's turns cost as much to repeat as the child itself. Default: false. */
  readonly keepAll?: boolean;
  /** Is told of the turns that are replayed. Default: nobody. */
  readonly watch?: TurnWatch;
  /** Is told who answered a turn that is replayed. Default: nobody. */
  readonly choice?: Pick<ModelChoice, "replayed">;
};

export function createJournaledModel(
  model: Model,
  journal: Journal,
  { keepAll = false, watch, choice }: JournaledModelOptions = {},
): Model {
  async function* keepTurn(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelChunk, ModelTurn> {
    // The tools are no part of the identity: they may differ between attempts, and the messages do not.
    const { keep = keepAll, tools: _, ...input } = request;
    const entry = await journal.begin({ kind: "model", input, idempotent: true });
    if (entry.state === "finished") {
      const turn = entry.value as ModelTurn;
      if (turn.content !== "") yield { type: "text", content: turn.content };
      choice?.replayed(request, turn);
      watch?.ended(turn);
      return turn;
    }
    const turn = yield* model.stream(request, signal);
    if (entry.state !== "new" || !(keep || turn.toolCalls.length > 0)) return turn;
    const kept = keepable(turn);
    await entry.finish(kept);
    // The turn goes on as a retry would find it, because later entries are found by the messages before them.
    return kept;
  }

  return {
    stream: (request, signal) =>
      keepAll || request.keep || request.tools?.length ? keepTurn(request, signal) : model.stream(request, signal),
  };
}

/** As long as an entry may be. A turn with more reasoning is kept without it, and without what belongs to it. */
const MAX_KEPT_CHARS = 1024 * 1024;

function keepable(turn: ModelTurn): ModelTurn {
  const { reasoning, extra, ...rest } = turn;
  if ((reasoning === undefined && extra === undefined) || JSON.stringify(turn).length <= MAX_KEPT_CHARS) return turn;
  return { ...rest, toolCalls: rest.toolCalls.map(bareCall) };
}
