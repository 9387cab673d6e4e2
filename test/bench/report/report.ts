/** A finished run as data: what `results/*.json` holds and all other outputs are made from. */
import type { BenchOptions } from "../options.ts";
import type { Environment } from "./environment.ts";
import { type Sample, type Summary, summarise } from "./summary.ts";
import { judge, type Verdict } from "./targets.ts";

export type Report = {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly options: BenchOptions;
  readonly environment: Environment;
  /** By name, what each scenario is. */
  readonly scenarios: Readonly<Record<string, string>>;
  readonly summary: Summary;
  readonly targets: readonly Verdict[];
  /** What went wrong and is no figure. */
  readonly remarks: readonly string[];
  readonly samples: readonly Sample[];
};

type Run = Omit<Report, "endedAt" | "summary" | "targets">;

export function createReport(run: Run): Report {
  const summary = summarise(run.samples);
  return { ...run, endedAt: new Date().toISOString(), summary, targets: judge(summary) };
}
