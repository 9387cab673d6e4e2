/**
 * I5 for model turns: a turn that calls tools, or that its request says to keep, is kept in the journal when it is
 * finished; when the job starts over, it is said again from there, and the provider is not asked.
 */
import type { Journal } from "../job/journal.ts";
import type { Model, ModelChunk, ModelRequest, ModelTurn } from "./model.ts";

/** With `keepAll` every finished turn is kept: those of an agent that is a part of another's job. */
export function createJournaledModel(model: Model, journal: Journal, keepAll = false): Model {
  async function* keepTurn(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelChunk, ModelTurn> {
    // What tools there are may change between two attempts; what was asked is the same.
    const { keep = keepAll, tools: _, ...input } = request;
    const step = await journal.begin({ kind: "model", input, idempotent: true });
    if (step.state === "finished") {
      const turn = step.value as ModelTurn;
      if (turn.content !== "") yield { type: "text", content: turn.content };
      return turn;
    }
    const turn = yield* model.stream(request, signal);
    if (step.state === "new" && (keep || turn.toolCalls.length > 0)) await step.finish(turn);
    return turn;
  }

  return {
    stream: (request, signal) =>
      keepAll || request.keep || request.tools?.length ? keepTurn(request, signal) : model.stream(request, signal),
  };
}
