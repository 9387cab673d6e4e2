/**
 * Which model answers the turns of one job: the one that a request names, if its owner may use it, and those that stand
 * in when it fails. A model is replaced only before its first token, because what was shown cannot be taken back. The
 * one that answered is asked first from then on, also by a later attempt, which learns it from the journal.
 */
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { ERROR_CODES } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { replaceableChunks } from "./chunk-stream.ts";
import type { Model, ModelRequest, ModelTurn } from "./model.ts";

/** A model that requests can name. */
export type OfferedModel = {
  /** By which usage and thoughts name it. */
  readonly name: string;
  readonly model: Model;
  readonly mayUse: (owner: string) => boolean;
  /** The models that stand in for it, unless a request has a list of its own. */
  readonly fallbacks: readonly string[];
};

export type OfferedModels = {
  /** Undefined: the default model. */
  find(name: string | undefined): OfferedModel;
};

export type Fallback = { readonly failed: string; readonly code: ErrorCode; readonly next: string };

export type ModelChoiceOptions = {
  readonly models: OfferedModels;
  readonly owner: string;
  /** Is told before the next model is asked. */
  readonly onFallback: (fallback: Fallback) => void;
};

export type ModelChoice = Model & {
  /** An earlier attempt asked for this turn, and the journal has it. */
  replayed(request: ModelRequest, turn: ModelTurn): void;
};

export function createModelChoice({ models, owner, onFallback }: ModelChoiceOptions): ModelChoice {
  /** Who answered last, where it was not the first choice; by the names of all candidates. */
  const answering = new Map<string, string>();

  function candidatesFor({ model, fallbacks }: ModelRequest): readonly OfferedModel[] {
    const first = models.find(model);
    const asked = [first, ...(fallbacks ?? []).map(models.find)];
    const refused = asked.find(({ mayUse }) => !mayUse(owner));
    if (refused !== undefined) {
      throw new PlatformError("model_not_allowed", {
        message: `The API key may not use the model "${refused.name}".`,
        param: refused === first ? "config.model" : "config.fallback_models",
      });
    }
    const standIns = fallbacks === undefined ? first.fallbacks.map(models.find) : [];
    const all = [...asked, ...standIns.filter(({ mayUse }) => mayUse(owner))];
    return [...new Map(all.map((each) => [each.name, each])).values()];
  }

  return {
    stream(request, signal) {
      const candidates = candidatesFor(request);
      const [first] = candidates;
      if (first !== undefined && candidates.length === 1) return first.model.stream(request, signal);
      const key = keyOf(candidates);
      const preferred = candidates.filter(({ name }) => name === answering.get(key));
      const waiting = [...new Set([...preferred, ...candidates])];
      const failures: PlatformError[] = [];
      let current = first as OfferedModel;

      function ask() {
        current = waiting.shift() as OfferedModel;
        return current.model.stream(current === first ? request : { ...request, model: current.name }, signal);
      }

      return replaceableChunks(ask, (error) => {
        if (signal.aborted || !isFailureOfModel(error)) throw error;
        failures.push(error);
        const [next] = waiting;
        if (next === undefined) throw mostHopeful(failures);
        onFallback({ failed: current.name, code: error.code, next: next.name });
        answering.set(key, next.name);
        return ask();
      });
    },

    replayed(request, { model }) {
      if (model === undefined) return;
      const candidates = candidatesFor(request);
      if (candidates.some(({ name }) => name === model)) answering.set(keyOf(candidates), model);
    },
  };
}

const keyOf = (candidates: readonly OfferedModel[]): string => JSON.stringify(candidates.map(({ name }) => name));

const isFailureOfModel = (error: unknown): error is PlatformError =>
  error instanceof PlatformError && ERROR_CODES[error.code].type === "model_error";

/** A failure that may pass makes the job's retry worth while, the sooner the better; else the first choice's counts. */
function mostHopeful(failures: readonly PlatformError[]): PlatformError | undefined {
  const passing = failures.filter(({ retryable }) => retryable);
  const [soonest] = passing.toSorted((a, b) => (a.retryAfterMs ?? 0) - (b.retryAfterMs ?? 0));
  return soonest ?? failures[0];
}
