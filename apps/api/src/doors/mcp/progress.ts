/** Progress notifications of a call. Its measure is the `seq`: it rises, and it is the same at every API process. */
import type { ThoughtEvent } from "@agent-paas/shared/contract/events.ts";

export type Progress = { readonly progress: number; readonly total?: number; readonly message?: string };

/** Pieces of reasoning come with each token; the others are texts for people. */
const UNSHOWN = ["reasoning"];

/** Null for a thought that is no progress. An agent's own progress is the part that `progress` is of `total`. */
export function progressOf({ type, content, progress }: ThoughtEvent["data"], seq: number): Progress | null {
  if (UNSHOWN.includes(type)) return null;
  const part = type === "progress" && typeof progress === "number" && progress > 0 ? progress : null;
  return { progress: seq, ...(part === null ? {} : { total: seq / part }), message: content };
}

const MOST_BEATS = 999;

/** Progress without a word, so that a client does not give the call up: above the one before, below the next `seq`. */
export function createBeats(): (seq: number) => Progress {
  let [last, beats] = [0, 0];
  return (seq) => {
    beats = seq > last ? 1 : Math.min(beats + 1, MOST_BEATS);
    last = seq;
    return { progress: seq + beats / (MOST_BEATS + 1) };
  };
}
