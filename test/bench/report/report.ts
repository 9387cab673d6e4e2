/** A finished run as data: the content of `results/*.json`, from which all other outputs are made. */
import type { BenchOptions } from "../options.ts";
import type { Environment } from "./environment.ts";
import { type Sample, type Summary, summarise } from "./summary.ts";
import { evaluateTargets, type Verdict } from "./targets.ts";

export type Report = {
  readonly startedAt: string;
  readonly endedAt: string;
  readonly options: BenchOptions;
  readonly environment: Environment;
  /** The description of each scenario, by name. */
  readonly scenarios: Readonly<Record<string, string>>;
  readonly summary: Summary;
  readonly targets: readonly Verdict[];
  /** Problems of the run that no figure shows. */
  readonly remarks: readonly string[];
  readonly samples: readonly Sample[];
};

type Run = Omit<Report, "endedAt" | "summary" | "targets">;

export function createReport(run: Run): Report {
  const summary = summarise(run.samples);
  return { ...run, endedAt: new Date().toISOString(), summary, targets: evaluateTargets(summary) };
}
