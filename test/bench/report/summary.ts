/** Reduces samples to medians with their range, by scenario, system and figure. */
import { type Range, rangeOf } from "../measure/statistics.ts";

export type Sample = {
  readonly scenario: string;
  readonly system: string;
  readonly round: number;
  readonly figures: Readonly<Record<string, number>>;
};

export type FigureRanges = Readonly<Record<string, Range>>;
/** By scenario, then by system. */
export type Summary = Readonly<Record<string, Readonly<Record<string, FigureRanges>>>>;

export function summarise(samples: readonly Sample[]): Summary {
  return mapGroups(samples, "scenario", (ofScenario) =>
    mapGroups(ofScenario, "system", (ofSystem) => rangesOf(ofSystem.map((sample) => withModel(sample, ofScenario)))),
  );
}

function mapGroups<T>(
  samples: readonly Sample[],
  by: "scenario" | "system",
  make: (group: readonly Sample[]) => T,
): Record<string, T> {
  const groups = Map.groupBy(samples, (sample) => sample[by]);
  return Object.fromEntries([...groups].map(([name, group]) => [name, make(group)]));
}

function rangesOf(rounds: readonly Sample["figures"][]): FigureRanges {
  const names = new Set(rounds.flatMap((figures) => Object.keys(figures)));
  return Object.fromEntries(
    [...names].map((name) => [name, rangeOf(rounds.map((figures) => figures[name] ?? Number.NaN))]),
  );
}

/** Adds the time to the first token beyond that of the model alone in the same round. */
function withModel({ system, round, figures }: Sample, ofScenario: readonly Sample[]): Sample["figures"] {
  const alone = ofScenario.find((sample) => sample.system === "model" && sample.round === round)?.figures;
  if (alone === undefined || system === "model") return figures;
  const over = (name: string) => (figures[name] ?? Number.NaN) - (alone[name] ?? Number.NaN);
  return {
    ...figures,
    firstTokenOverModelMsP50: over("firstTokenMsP50"),
    firstTokenOverModelMsP99: over("firstTokenMsP99"),
  };
}
