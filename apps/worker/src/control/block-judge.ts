/**
 * Decides which run blocks the main thread, from what the watching thread sees: beats that the main thread counts while
 * its event loop turns, and answers to the question which run is executed right now.
 *
 * Time is counted in ticks of the watching thread: a process that was stopped or had no CPU misses ticks as well as
 * beats, and is not blocked.
 */
import type { RunIdentity } from "../run/current-run.ts";

/** What the main thread answers, in the midst of what it executes. */
export type BlockSample = {
  /** The beats at that moment: an answer given after the block says nothing about it. */
  readonly beats: number;
  /** Null: code that belongs to no run. */
  readonly run: RunIdentity | null;
  /** The innermost frames of the stack, without values. */
  readonly stack: string;
};

/**
 * `unknown`: the thread is inside a native call and cannot answer before its end. `run`: every answer named this run.
 * `nobody`: the answers named none, or different ones.
 */
export type BlockVerdict =
  | { readonly kind: "unknown" }
  | { readonly kind: "nobody"; readonly stack: string }
  | { readonly kind: "run"; readonly run: RunIdentity; readonly stack: string };

export type Block = { readonly ticks: number; readonly isOver: boolean; readonly verdict: BlockVerdict };

/** After so many ticks without a beat the main thread is asked, at every tick. */
export const ASK_FROM = 5;
/** From so many ticks on it counts as blocked: long before its jobs go to others, so a verdict comes first. */
export const BLOCKED_FROM = 10;

/** A frame of the platform's database: a disk that stands still is no fault of the run whose row is being written. */
const DATABASE_FRAME = "/shared/src/db/";
const isBlameless = ({ run, stack }: BlockSample): boolean => run === null || stack.includes(DATABASE_FRAME);

export function createBlockJudge() {
  let beats = -1;
  let ticks = 0;
  let samples: BlockSample[] = [];
  /** A block that has ended without an answer: the answer to a native call comes when the call returns. */
  let past: { readonly beats: number; readonly ticks: number } | null = null;

  const blockOf = (length: number, isOver: boolean): Block | null =>
    length < BLOCKED_FROM ? null : { ticks: length, isOver, verdict: verdictOf(samples) };

  return {
    /** The block, if there is one: under way, or just over. */
    tick(seen: number): Block | null {
      if (seen === beats) {
        ticks++;
        return blockOf(ticks, false);
      }
      const ended = blockOf(ticks, true);
      past = ended?.verdict.kind === "unknown" ? { beats, ticks } : null;
      beats = seen;
      ticks = 0;
      samples = [];
      return ended;
    },
    /** For how many ticks no beat has come. */
    ticks: (): number => ticks,
    shouldAsk: (): boolean => ticks >= ASK_FROM,
    /** The block that the answer decides after its end, if it does. */
    answer(sample: BlockSample): Block | null {
      if (sample.beats === beats) {
        samples.push(sample);
        return null;
      }
      if (past?.beats !== sample.beats) return null;
      const block = { ticks: past.ticks, isOver: true, verdict: verdictOf([sample]) };
      past = null;
      return block;
    },
  };
}

function verdictOf(samples: readonly BlockSample[]): BlockVerdict {
  const [first, ...later] = samples;
  if (first === undefined) return { kind: "unknown" };
  const { run, stack } = first;
  const isSame = (sample: BlockSample) =>
    sample.run?.jobId === run?.jobId && sample.run?.fencingToken === run?.fencingToken;
  if (run === null || samples.some(isBlameless) || !later.every(isSame)) return { kind: "nobody", stack };
  return { kind: "run", run, stack };
}
