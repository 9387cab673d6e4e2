/**
 * How many times as long some work on a text takes as one plain scan of the same text takes. Both are measured in the
 * same run, so the figure hardly depends on the machine: linear work stays in the tens, quadratic work on 64 KB is in
 * the thousands.
 */

const SCANS = 5;
/** Work is measured again while another process may have disturbed it. */
const TRIES = 3;

/** Work on 64 KB beyond this many plain scans is not linear. */
export const MOST_SCANS = 400;

/** A scan that looks at every character, as an expression does. */
function scan(text: string): number {
  let sum = 0;
  for (const character of JSON.parse(JSON.stringify(text)) as string) sum = (sum + character.length) | 0;
  return sum;
}

export function slownessOf(text: string, work: (text: string) => unknown): number {
  const scanMs = Math.min(...Array.from({ length: SCANS }, () => msOf(() => scan(text))));
  let best = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < TRIES && best > MOST_SCANS; tries += 1) {
    best = Math.min(best, msOf(() => work(text)) / scanMs);
  }
  return best;
}

function msOf(work: () => unknown): number {
  const startedAt = performance.now();
  work();
  return performance.now() - startedAt;
}
