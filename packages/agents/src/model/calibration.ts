/**
 * What the providers' figures say of our token counts: a factor per model, learned from the input of finished turns
 * while the process lives. It is bounded, because some providers leave cached tokens out of their figure or add prompts
 * of their own to it, and damped, because each turn has a text of its own kind. A new process begins with 1.
 */
import { countTokens } from "./tokens.ts";

export type Calibration = {
  /** By which a count is multiplied for this model; undefined: the platform's default model. */
  factorOf(model: string | undefined): number;
  /** The tokens of a text for this model. */
  count(text: string, model: string | undefined): number;
  /** @param estimate our own count of what the provider counted as `reported`; not called for every turn. */
  learn(model: string | undefined, estimate: () => number, reported: number): void;
};

type Learned = { factor: number; turns: number };

/** In a shorter input what the provider adds weighs too much. */
const MIN_TOKENS = 200;
/** A figure beyond these counts something else, such as only what was not cached. */
const BELIEVED = { min: 0.4, max: 4 };
/** Few models need less than three quarters of our count; more room than that would be a provider's mistake. */
const RANGE = { min: 0.75, max: 3 };
/** The weight of each new figure, at least. */
const MIN_WEIGHT = 1 / 16;
/** Counting an input takes time: after the first turns, one in so many is looked at. */
const FIRST_TURNS = 8;
const EVERY = 16;
/** Callers name models; the one that was first seen longest ago is forgotten. */
const MAX_MODELS = 200;

export function createCalibration(): Calibration {
  const models = new Map<string, Learned>();

  function stateOf(model: string): Learned {
    let learned = models.get(model);
    if (learned === undefined) {
      const oldest = models.size < MAX_MODELS ? undefined : models.keys().next().value;
      if (oldest !== undefined) models.delete(oldest);
      learned = { factor: 1, turns: 0 };
      models.set(model, learned);
    }
    return learned;
  }

  const factorOf = (model = "") => models.get(model)?.factor ?? 1;
  return {
    factorOf,
    count: (text, model) => Math.ceil(countTokens(text) * factorOf(model)),
    learn(model = "", estimate, reported) {
      if (reported < MIN_TOKENS * BELIEVED.min) return;
      const learned = stateOf(model);
      const turn = learned.turns++;
      if (turn >= FIRST_TURNS && turn % EVERY !== 0) return;
      const estimated = estimate();
      const ratio = reported / estimated;
      if (estimated < MIN_TOKENS || ratio < BELIEVED.min || ratio > BELIEVED.max) return;
      const weight = Math.max(MIN_WEIGHT, 1 / (turn + 2));
      const moved = learned.factor + (ratio - learned.factor) * weight;
      learned.factor = Math.min(RANGE.max, Math.max(RANGE.min, moved));
    },
  };
}

/** Of this process: it has one provider. */
export const calibration = createCalibration();
