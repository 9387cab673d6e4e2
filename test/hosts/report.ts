/** Counts what became of the jobs of each round, and formats the table of them. */
import { framesOf } from "../chaos/checks/streams.ts";
import type { Evidence } from "../chaos/evidence.ts";
import type { Findings, ZeroColumn } from "../chaos/findings.ts";
import type { Transcript } from "../chaos/transcript.ts";
import type { Round } from "./rounds.ts";

/** What the run itself has seen of a round. */
export type Played = {
  readonly round: Round;
  /** How many were in flight when the link went. */
  readonly jobs: number;
  /** From the return of the link until both APIs had completed a chat, ms. */
  readonly apisBackMs: number;
  /** The same for each worker that was cut off; null: not in time. */
  readonly workersBackMs: number | null;
};

export type RoundCount = {
  readonly name: string;
  readonly jobs: number;
  /** Jobs whose client lost its stream, or gave it up because it was silent. */
  readonly broken: number;
  /** Of these, those that went on at the API of host b, with Last-Event-ID. */
  readonly resumedAtB: number;
  /** Jobs that another run has begun again. */
  readonly takenOver: number;
  readonly lost: number;
  readonly doubled: number;
  /** All else that the checker found. */
  readonly others: number;
  /** The longest time for which a client received no event, ms; tools apart, whose calls the model writes slowly. */
  readonly longestPauseMs: number;
  readonly apisBackMs: number;
  readonly workersBackMs: number | null;
  /** Why the round proves nothing, or disproves a promise that the checker does not know. */
  readonly problems: readonly string[];
};

const LOST: readonly ZeroColumn[] = ["lost", "without end", "rejected", "failed"];
const DOUBLED: readonly ZeroColumn[] = ["twice", "rows doubled", "effects doubled", "repeated events"];

export function countRound(played: Played, { entries, jobs }: Evidence, { incidents }: Findings): RoundCount {
  const { round, apisBackMs, workersBackMs } = played;
  const isOfRound = (label: string) => label.startsWith(`${round.name}-`);
  const isInFlight = (label: string) => isOfRound(label) && !Number.isNaN(Number(label.slice(round.name.length + 1)));
  // Those that were in flight; the labels of what was asked afterwards end with more than a number.
  const transcripts = entries.flatMap((entry) =>
    entry.type === "transcript" && isInFlight(entry.value.label) ? [entry.value] : [],
  );
  const broken = transcripts.filter(({ connections }) =>
    connections.some(({ closed, status }) => status === 200 && (closed === "silent" || closed === "error")),
  );
  const found = [...incidents].flatMap(([column, list]) =>
    list.filter(({ label }) => isOfRound(label)).map(() => column),
  );
  const lost = found.filter((column) => LOST.includes(column)).length;
  const doubled = found.filter((column) => DOUBLED.includes(column)).length;
  const count = {
    name: round.name,
    jobs: transcripts.length,
    broken: broken.length,
    resumedAtB: broken.filter(isResumedAtB).length,
    takenOver: jobs.filter(({ task, attempts }) => isOfRound(task) && attempts > 1).length,
    ...{ lost, doubled, others: found.length - lost - doubled },
    longestPauseMs: Math.max(0, ...transcripts.map(longestPauseOf)),
    ...{ apisBackMs, workersBackMs },
  };
  return { ...count, problems: problemsOf(played, count) };
}

const isResumedAtB = ({ connections }: Transcript): boolean =>
  connections.some(({ api, after, status }) => api.startsWith("b-") && after > 0 && status === 200);

function longestPauseOf(transcript: Transcript): number {
  if (transcript.expected.once.length > 0) return 0;
  const times = framesOf(transcript).map(({ at }) => at);
  return Math.max(0, ...times.slice(1).map((at, before) => at - (times[before] ?? at)));
}

function problemsOf({ round, jobs }: Played, count: Omit<RoundCount, "problems">): string[] {
  const isHostLost = round.host === "c" && round.how !== "opened";
  const { broken, resumedAtB } = count;
  // When the link is back, clients may go on at host c as well.
  const areAllResumed = round.awayMs !== null || resumedAtB === broken;
  return [
    ...(count.jobs < jobs ? [`only ${count.jobs} of ${jobs} questions have a transcript`] : []),
    ...(count.workersBackMs === null ? ["not every worker took a job when the link was back"] : []),
    ...(isHostLost && (resumedAtB === 0 || !areAllResumed)
      ? [`${resumedAtB} of ${broken} broken streams went on at host b`]
      : []),
    ...(isHostLost && count.takenOver === 0 ? ["no job was taken over"] : []),
  ];
}

const seconds = (ms: number | null): string => (ms === null ? "never" : `${(ms / 1_000).toFixed(1)} s`);

const COLUMNS: Readonly<Record<string, (count: RoundCount) => string | number>> = {
  round: ({ name }) => name,
  jobs: ({ jobs }) => jobs,
  "broken streams": ({ broken }) => broken,
  "resumed at b": ({ resumedAtB }) => resumedAtB,
  "taken over": ({ takenOver }) => takenOver,
  lost: ({ lost }) => lost,
  doubled: ({ doubled }) => doubled,
  "other faults": ({ others }) => others,
  "longest pause": ({ longestPauseMs }) => seconds(longestPauseMs),
  "APIs back": ({ apisBackMs }) => seconds(apisBackMs),
  "workers back": ({ workersBackMs }) => seconds(workersBackMs),
};

export function formatRounds(counts: readonly RoundCount[]): string {
  const names = Object.keys(COLUMNS);
  const rows = [names, ...counts.map((count) => Object.values(COLUMNS).map((cell) => String(cell(count))))];
  const widths = names.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const problems = counts.flatMap(({ name, problems }) => problems.map((problem) => `  ${name}: ${problem}`));
  return [...lines, ...problems].join("\n");
}
