/** I9: memory and descriptors of long-running processes do not grow. */
import type { Recorder } from "../findings.ts";
import type { Entry, Sample } from "../transcript.ts";

/** Processes that ran for less are not checked. */
const LONG_MS = 180_000;
const WARM_AFTER_MS = 60_000;
/** How much the last quarter of a life may exceed the first: by the factor `share` plus `noise`. */
const MEMORY = { share: 1.3, noise: 48 * 1024 };
const DESCRIPTORS = { share: 1.3, noise: 40 };

export function checkGrowth(entries: readonly Entry[], recorder: Recorder): void {
  const samples = entries.flatMap((entry) => (entry.type === "sample" ? [entry.value] : []));
  for (const [pid, all] of Map.groupBy(samples, (sample) => sample.pid)) {
    const [first, last] = [all[0], all.at(-1)];
    if (first === undefined || last === undefined || last.at - first.at < LONG_MS) continue;
    recorder.count("processes watched");
    const warm = all.filter(({ at }) => at - first.at > WARM_AFTER_MS);
    const quarter = Math.ceil(warm.length / 4);
    const compare = (what: string, of: (sample: Sample) => number, { share, noise }: typeof MEMORY) => {
      const [before, after] = [medianOf(warm.slice(0, quarter).map(of)), medianOf(warm.slice(-quarter).map(of))];
      if (after > before * share + noise)
        recorder.incident("growth", { label: `${first.name} (${pid})` }, `${what}: ${before} → ${after}`);
    };
    compare("memory in KiB", ({ rssKb }) => rssKb, MEMORY);
    compare("descriptors", ({ descriptors }) => descriptors, DESCRIPTORS);
  }
}

const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
