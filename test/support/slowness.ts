/**
 * How many times as long some work on a text takes as one plain scan of a text of that length takes. Both are measured
 * in the same process, so the figure hardly depends on the machine: linear work stays in the tens, quadratic work on
 * 64 KB is in the thousands.
 */

/** Work on 64 KB beyond this many plain scans is not linear. */
export const MOST_SCANS = 400;

const SCANNED = "a.".repeat(32_768);
/** Many, because systems count the processor's time in steps of milliseconds. */
const SCANS = 300;
/** Work is measured again while another process may have disturbed it. */
const TRIES = 3;

/** A scan that looks at every character, as an expression does. */
function scan(text: string): number {
  let sum = 0;
  for (const character of JSON.parse(JSON.stringify(text)) as string) sum = (sum + character.length) | 0;
  return sum;
}

let scanMs = Number.NaN;

export function slownessOf(text: string, work: (text: string) => unknown): number {
  if (Number.isNaN(scanMs)) scanMs = msOf(() => Array.from({ length: SCANS }, () => scan(SCANNED))) / SCANS;
  let best = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && best > MOST_SCANS; tries += 1)
    best = Math.min(best, msOf(() => work(text)) / scanMs);
  return best;
}

/** Time of the processor, so that what else runs on the machine hardly counts. */
function msOf(work: () => unknown): number {
  const before = process.threadCpuUsage();
  work();
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
}
