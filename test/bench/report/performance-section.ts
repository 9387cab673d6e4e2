/** The table of docs/performance.md: made from the newest full run and inserted between two markers. */
import type { Report } from "./report.ts";
import type { FigureRanges } from "./summary.ts";
import { drawMarkdown, formatRange } from "./table.ts";

export type Language = "en" | "zh";

const [BEGIN, END] = ["<!-- bench:begin -->", "<!-- bench:end -->"];

type Column = {
  readonly scenario: string;
  readonly figure: string;
  readonly title: Readonly<Record<Language, string>>;
};

const COLUMNS: readonly Column[] = [
  {
    scenario: "s500",
    figure: "cpuUsPerToken",
    title: { en: "CPU µs/token, 500 streams × 20 tokens/s", zh: "每 token CPU（µs），500 路 × 20 token/s" },
  },
  { scenario: "s500", figure: "lagMsP99", title: { en: "lag p99 there, ms", zh: "其延迟 p99（ms）" } },
  {
    scenario: "fast",
    figure: "cpuUsPerToken",
    title: { en: "CPU µs/token, 32 chats as fast as possible", zh: "每 token CPU（µs），32 路全速" },
  },
  { scenario: "fast", figure: "tokensPerSecond", title: { en: "tokens/s there", zh: "其 token/s" } },
  {
    scenario: "single",
    figure: "firstTokenOverModelMsP50",
    title: { en: "first token over the model's, ms", zh: "首 token 超出模型的时间（ms）" },
  },
  { scenario: "s2000", figure: "peakMiB", title: { en: "peak MiB, 2000 streams", zh: "2000 路时内存峰值（MiB）" } },
];

const ROWS: readonly { readonly system: string; readonly title: Readonly<Record<Language, string>> }[] = [
  {
    system: "direct",
    title: {
      en: "`direct`: Express + openai SDK, one process, nothing stored",
      zh: "`direct`：Express + openai SDK，单进程，不保存任何数据",
    },
  },
  {
    system: "floor",
    title: {
      en: "`floor`: bare HTTP + BullMQ + a worker + pub/sub, nothing stored",
      zh: "`floor`：裸 HTTP + BullMQ + 一个 worker + 发布订阅，不保存任何数据",
    },
  },
  {
    system: "ours",
    title: {
      en: "**Agent PaaS** with the two workers of `npm start`: event log, database and all features",
      zh: "**Agent PaaS**，`npm start` 的两个 worker：事件日志、数据库及全部功能",
    },
  },
  { system: "ours-1", title: { en: "Agent PaaS with one worker", zh: "Agent PaaS，一个 worker" } },
];

const WORDS = {
  en: {
    root: "..",
    rounds: (rounds: number) =>
      rounds === 1 ? "one round" : `medians of ${rounds} interleaved rounds with their range`,
    chart: "CPU time, lag and memory compared with the baselines",
    about: ({ environment, options, startedAt }: Report) =>
      `Measured ${startedAt.slice(0, 10)} on ${environment.machine}: ${WORDS.en.rounds(options.rounds)}, ` +
      "CPU time of all server processes; the local model and the load generator run on the same " +
      "cores. The baselines were written for the comparison and store nothing. `npm run bench` repeats the " +
      "measurement (`-- --quick`: under five minutes).",
    targets: (held: number, of: number) =>
      `${held} of ${of} targets are met. All figures: [results](../test/bench/results/latest.md). The method, its ` +
      "limits and the reason for each missed target: [test/bench](../test/bench/README.md).",
  },
  zh: {
    root: "../..",
    rounds: (rounds: number) => (rounds === 1 ? "一轮" : `${rounds} 轮交错运行的中位数及范围`),
    chart: "与基线对照的 CPU、延迟与内存",
    about: ({ environment, options, startedAt }: Report) =>
      `${startedAt.slice(0, 10)} 测于 ${environment.machine}：${WORDS.zh.rounds(options.rounds)}，` +
      "CPU 为全部服务进程之和；本地模型与压测程序共用同样的核。两个基线为对照而写，不保存任何数据。" +
      "`npm run bench` 可重新测量（`-- --quick` 不到五分钟）。",
    targets: (held: number, of: number) =>
      `${of} 项目标中达成 ${held} 项。全部数据：[results](../../test/bench/results/latest.md)；` +
      "测量方法、局限与未达成的原因：[test/bench](../../test/bench/README.md)。",
  },
};

export function drawSection(report: Report, language: Language): string {
  const words = WORDS[language];
  const figuresOf = (scenario: string, system: string): FigureRanges => report.summary[scenario]?.[system] ?? {};
  const table = drawMarkdown({
    head: ["", ...COLUMNS.map(({ title }) => title[language])],
    rows: ROWS.map(({ system, title }) => [
      title[language],
      ...COLUMNS.map(({ scenario, figure }) => formatRange(figure, figuresOf(scenario, system)[figure])),
    ]),
  });
  const measured = report.targets.filter(({ verdict }) => verdict !== "not measured");
  const held = measured.filter(({ verdict }) => verdict === "held");
  return [
    words.about(report),
    table,
    `![${words.chart}](${words.root}/test/bench/results/latest.svg)`,
    words.targets(held.length, measured.length),
  ].join("\n\n");
}

/** Replaces what stands between the markers of the page with the section. */
export function putSection(page: string, section: string): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the page has no ${BEGIN} … ${END}`);
  return `${page.slice(0, begin + BEGIN.length)}\n\n${section}\n\n${page.slice(end)}`;
}
