/**
 * How much of a query's terms texts contain: BM25 over the candidates of one search, where a term counts the more the
 * fewer of them have it. Divided by what a text with all terms in plenty would get, it is between 0 and 1.
 */
import { createPauses } from "./pauses.ts";
import { weightOf } from "./term-weights.ts";
import { finerTermsOf, type KnownRuns, withoutAccents } from "./terms.ts";

/** Chosen with questions in English and Chinese: how soon repeats count no more, and how much length counts. */
const BM25 = { k1: 0.9, b: 0.6 } as const;

/** How often a term counts that stands in a text's headings: they say what all of it is about. */
const HEADING_WEIGHT = 3;

export type ScoredText = {
  /** All of the text, with its headings. */
  readonly text: string;
  readonly heading: string;
};

type Counted = { readonly counts: ReadonlyMap<string, number>; readonly length: number };

export async function scoreTerms(query: string, texts: readonly ScoredText[], signal: AbortSignal): Promise<number[]> {
  const wanted = new Set(finerTermsOf(query));
  const counted: Counted[] = [];
  const known: KnownRuns = new Map();
  const pause = createPauses(signal);
  for (const text of texts) {
    counted.push(countTerms(text, wanted, known));
    await pause();
  }
  const meanLength = counted.reduce((sum, { length }) => sum + length, 0) / texts.length;
  const having = new Map<string, number>();
  for (const { counts } of counted) for (const term of counts.keys()) having.set(term, (having.get(term) ?? 0) + 1);
  // In some languages accents tell words apart: without them a word counts only where nobody writes them.
  for (const term of having.keys()) for (const plain of withoutAccents(term)) wanted.delete(plain);
  const weights = new Map<string, number>();
  for (const term of wanted) {
    const found = having.get(term) ?? 0;
    weights.set(term, weightOf(term) * Math.log(1 + (texts.length - found + 0.5) / (found + 0.5)));
  }
  const best = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  return counted.map(({ counts, length }) => {
    const dampening = BM25.k1 * (1 - BM25.b + (BM25.b * length) / meanLength);
    let score = 0;
    for (const [term, count] of counts) score += ((weights.get(term) ?? 0) * count) / (count + dampening);
    return best === 0 ? 0 : score / best;
  });
}

function countTerms({ text, heading }: ScoredText, wanted: ReadonlySet<string>, known: KnownRuns): Counted {
  const counts = new Map<string, number>();
  const count = (terms: readonly string[], weight: number) => {
    for (const term of terms) if (wanted.has(term)) counts.set(term, (counts.get(term) ?? 0) + weight);
  };
  const terms = finerTermsOf(text, known);
  count(terms, 1);
  count(finerTermsOf(heading, known), HEADING_WEIGHT - 1);
  return { counts, length: terms.length };
}
