/** The page of a run, in Markdown. */
import { NOT_MEASURED } from "./limits.ts";
import type { Report } from "./report.ts";
import { drawMarkdown, systemsTable } from "./table.ts";
import { targetsTable } from "./targets.ts";

/** `chart`: the file name of the chart beside the page. */
export function drawPage(report: Report, chart: string): string {
  const { environment, options, startedAt, summary, scenarios, targets, remarks } = report;
  const { machine, versions, commit, loadBefore } = environment;
  const rounds =
    options.rounds === 1 ? "One round" : `Medians of ${options.rounds} interleaved rounds, with their range`;
  return [
    "# Benchmark",
    `${startedAt.slice(0, 10)}, commit ${commit}, ${machine}; ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}. ` +
      `${rounds}${options.quick ? ", quick form" : ""}; the machine's load before was ${loadBefore.toFixed(1)}. ` +
      "The method and the names are explained in the [README](../README.md).",
    `![CPU time, lag and memory of the systems](${chart})`,
    "## Targets",
    drawMarkdown(targetsTable(targets)),
    ...Object.entries(summary).flatMap(([name, systems]) => [
      `## ${name}: ${scenarios[name] ?? ""}`,
      drawMarkdown(systemsTable(systems)),
    ]),
    ...(remarks.length > 0 ? ["## Remarks", bullets(remarks)] : []),
    "## What this does not measure",
    bullets(NOT_MEASURED),
    "",
  ].join("\n\n");
}

const bullets = (lines: readonly string[]) => lines.map((line) => `- ${line}`).join("\n");
