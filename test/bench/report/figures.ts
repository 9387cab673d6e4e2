/** Titles and precision of the figures. A figure that is not listed appears in the JSON only. */

export type FigureFormat = { readonly title: string; readonly digits: number };

export const FIGURES: Readonly<Record<string, FigureFormat>> = {
  cpuUsPerToken: { title: "CPU µs/token", digits: 1 },
  apiUsPerToken: { title: "API", digits: 1 },
  workerUsPerToken: { title: "worker", digits: 1 },
  redisUsPerToken: { title: "Redis", digits: 1 },
  steadyUsPerToken: { title: "while all stream", digits: 1 },
  cpuMsPerChat: { title: "CPU ms/chat", digits: 2 },
  firstTokenOverModelMsP50: { title: "first token over the model's p50, ms", digits: 2 },
  firstTokenOverModelMsP99: { title: "p99, ms", digits: 2 },
  lagMsP50: { title: "lag p50, ms", digits: 1 },
  lagMsP99: { title: "lag p99, ms", digits: 1 },
  steadyLagMsP99: { title: "while all stream", digits: 1 },
  tokensPerSecond: { title: "tokens/s", digits: 0 },
  jobsPerSecond: { title: "jobs/s", digits: 0 },
  cpuUsPerJob: { title: "CPU µs/job", digits: 0 },
  apiUsPerJob: { title: "API", digits: 0 },
  workerUsPerJob: { title: "worker", digits: 0 },
  redisUsPerJob: { title: "Redis", digits: 0 },
  littleCpuMsPerTurn: { title: "CPU ms/turn with little", digits: 2 },
  muchCpuMsPerTurn: { title: "with much", digits: 2 },
  turnCpuRatio: { title: "ratio", digits: 2 },
  littleTurnMs: { title: "ms/turn with little", digits: 2 },
  muchTurnMs: { title: "with much", digits: 2 },
  turnTimeRatio: { title: "ratio", digits: 2 },
  jobsPerSecond1: { title: "jobs/s, 1 worker", digits: 1 },
  jobsPerSecond2: { title: "2", digits: 1 },
  jobsPerSecond4: { title: "4", digits: 1 },
  jobsPerSecond8: { title: "8", digits: 1 },
  speedUp2: { title: "2 to 1", digits: 2 },
  speedUp4: { title: "4 to 1", digits: 2 },
  speedUp8: { title: "8 to 1", digits: 2 },
  startPssMiB: { title: "all, MiB", digits: 0 },
  apiPssMiB: { title: "API", digits: 0 },
  workerPssMiB: { title: "each worker", digits: 0 },
  modelPssMiB: { title: "model server", digits: 0 },
  chromaPssMiB: { title: "Chroma", digits: 0 },
  redisPssMiB: { title: "Redis", digits: 0 },
  supervisorPssMiB: { title: "supervisor", digits: 0 },
  apiKiBPerStream: { title: "API KiB/stream", digits: 1 },
  workerKiBPerStream: { title: "worker", digits: 1 },
  redisKiBPerStream: { title: "Redis", digits: 1 },
  chats: { title: "chats", digits: 0 },
  apiMiB: { title: "API MiB", digits: 0 },
  apiGrowth: { title: "last ÷ middle third", digits: 2 },
  workerMiB: { title: "worker MiB", digits: 0 },
  workerGrowth: { title: "last ÷ middle third", digits: 2 },
  redisMiB: { title: "Redis MiB", digits: 0 },
  redisGrowth: { title: "last ÷ middle third", digits: 2 },
  peakMiB: { title: "peak MiB", digits: 0 },
  failures: { title: "failures", digits: 0 },
  missing: { title: "missing", digits: 0 },
  doubled: { title: "doubled", digits: 0 },
  restarts: { title: "restarts", digits: 0 },
  modelUsPerToken: { title: "beside it: model server, CPU µs/token", digits: 1 },
  clientUsPerToken: { title: "load generator", digits: 1 },
};

export function formatFigure(name: string, value: number | undefined): string {
  // JSON holds null in place of NaN.
  if (value === undefined || !Number.isFinite(value)) return "–";
  return value.toLocaleString("en-US", {
    minimumFractionDigits: FIGURES[name]?.digits ?? 1,
    maximumFractionDigits: FIGURES[name]?.digits ?? 1,
  });
}
