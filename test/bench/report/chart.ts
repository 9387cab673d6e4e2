/** The chart of a run as SVG: for each streaming scenario bars of CPU, lag and memory; each group has its own scale. */
import { formatFigure } from "./figures.ts";
import type { FigureRanges, Summary } from "./summary.ts";

const SCENARIOS = ["single", "s50", "s500", "s2000", "fast"];
const PANELS = [
  { figure: "cpuUsPerToken", title: "CPU µs per token" },
  { figure: "lagMsP99", title: "lag p99, ms" },
  { figure: "peakMiB", title: "peak memory, MiB" },
];
const COLOURS: Readonly<Record<string, string>> = {
  direct: "#9aa5b1",
  floor: "#5b8db8",
  "ours-1": "#eab08f",
  ours: "#d9662b",
};

const [LEFT, TOP, PANEL_WIDTH, LONGEST_BAR, BAR, GROUP_GAP] = [70, 60, 270, 190, 14, 14];

export function drawChart(summary: Summary, scenarios: Readonly<Record<string, string>>): string {
  const shown = SCENARIOS.filter((name) => summary[name] !== undefined);
  const groupHeight = Object.keys(COLOURS).length * BAR + GROUP_GAP;
  const [width, height] = [LEFT + PANELS.length * PANEL_WIDTH, TOP + shown.length * groupHeight + GROUP_GAP];
  const groups = shown.flatMap((name, row) => {
    const y = TOP + row * groupHeight;
    const title = `<title>${escapeXml(scenarios[name] ?? "")}</title>`;
    const label = `<text x="8" y="${y + groupHeight / 2 - 4}" font-weight="bold">${name}${title}</text>`;
    return [label, ...PANELS.map((panel, column) => drawGroup(summary[name] ?? {}, panel.figure, column, y))];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ` +
      `font-family="sans-serif" font-size="11" fill="#222">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...Object.entries(COLOURS).map(([system, colour], at) => drawKey(system, colour, LEFT + at * 80)),
    ...PANELS.map(
      ({ title }, column) => `<text x="${LEFT + column * PANEL_WIDTH}" y="46" font-weight="bold">${title}</text>`,
    ),
    ...groups,
    "</svg>",
    "",
  ].join("\n");
}

function drawKey(system: string, colour: string, x: number): string {
  return `<rect x="${x}" y="12" width="10" height="10" fill="${colour}"/><text x="${x + 15}" y="21">${system}</text>`;
}

function drawGroup(systems: Readonly<Record<string, FigureRanges>>, figure: string, column: number, y: number): string {
  const x = LEFT + column * PANEL_WIDTH;
  const medianOf = (system: string) => systems[system]?.[figure]?.median ?? 0;
  const most = Math.max(...Object.keys(COLOURS).map(medianOf), Number.MIN_VALUE);
  return Object.entries(COLOURS)
    .map(([system, colour], at) => {
      const length = ((medianOf(system) / most) * LONGEST_BAR).toFixed(1);
      const top = y + at * BAR;
      const value = formatFigure(figure, systems[system]?.[figure]?.median);
      const bar = `<rect x="${x}" y="${top}" width="${length}" height="${BAR - 3}" fill="${colour}"/>`;
      return `${bar}<text x="${x + Number(length) + 4}" y="${top + 10}">${value}</text>`;
    })
    .join("\n");
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
