/**
 * One run: rounds of scenarios, each measured on its systems one after the other. Every round begins with another
 * system, so that a temporarily slow machine affects all of them.
 */
import { ChildError } from "../../scripts/services/child.ts";
import { startLoadClient } from "./client/load-client.ts";
import type { BenchOptions } from "./options.ts";
import type { Sample } from "./report/summary.ts";
import { SCENARIOS } from "./scenarios/index.ts";
import type { BenchContext, Scenario, SystemName } from "./scenarios/scenario.ts";
import { startModel } from "./systems/model.ts";

export type Progress = {
  begun(what: string): void;
  measured(sample: Sample): void;
  remark(text: string): void;
};

export async function runBench(options: BenchOptions, progress: Progress): Promise<Sample[]> {
  const scenarios = selectScenarios(options);
  const samples: Sample[] = [];
  const model = await startModel();
  const load = await startLoadClient();
  try {
    const context: BenchContext = { ...options, model, load, remark: progress.remark };
    for (let round = 1; round <= options.rounds; round++) {
      for (const scenario of scenarios.filter(({ once }) => round === 1 || once !== true)) {
        for (const system of rotated(scenario.systems, round - 1)) {
          progress.begun(`round ${round} of ${options.rounds}: ${scenario.name}, ${system}`);
          try {
            const figures = await scenario.measure(system, context);
            const sample = { scenario: scenario.name, system, round, figures };
            samples.push(sample);
            progress.measured(sample);
          } catch (error) {
            // The other measurements continue; the remark shows readers of the results what is missing, and why.
            progress.remark(`${scenario.name}, ${system}, round ${round}: ${describe(error)}`);
          }
        }
      }
    }
  } finally {
    load.stop();
    await model.stop();
  }
  return samples;
}

export function selectScenarios({ quick, only, systems, database, redis }: BenchOptions): Scenario[] {
  const isAskedFor: { readonly [Name in SystemName]?: boolean } = {
    "ours-pg": database === "postgres",
    "ours-cluster": redis === "cluster",
  };
  // `jobs` selects `jobs-1` and `jobs-2`.
  const isSelected = ({ name }: Scenario, wanted: string) => name === wanted || name.startsWith(`${wanted}-`);
  const unknown = only?.find((wanted) => !SCENARIOS.some((scenario) => isSelected(scenario, wanted)));
  if (unknown !== undefined) {
    throw new Error(`no scenario '${unknown}'; there are ${SCENARIOS.map(({ name }) => name).join(", ")}`);
  }
  return SCENARIOS.filter((scenario) =>
    only === null ? scenario.inQuick || !quick : only.some((wanted) => isSelected(scenario, wanted)),
  )
    .map((scenario) => ({
      ...scenario,
      systems: scenario.systems.filter((system) =>
        systems === null ? (isAskedFor[system] ?? true) : systems.includes(system),
      ),
    }))
    .filter((scenario) => scenario.systems.length > 0);
}

function describe(error: unknown): string {
  return error instanceof ChildError ? [error.message, ...error.lastLines].join("\n") : String(error);
}

function rotated<T>(items: readonly T[], by: number): T[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}
