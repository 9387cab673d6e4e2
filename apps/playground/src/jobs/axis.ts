/** One time axis for all rows. A wait that is far longer than the work is drawn short, else nothing else would show. */
import type { Row } from "./timeline.ts";

export type Axis = {
  /** Where a time lies, from 0 to 1. */
  at(time: number): number;
  readonly ticks: readonly Tick[];
  /** Whether a wait is drawn shorter than it was. */
  isShortened(row: Row): boolean;
};

export type Tick = {
  readonly at: number;
  /** Since the beginning. */
  readonly ms: number;
  /** Whether there is room for its label on a small screen, too. */
  readonly isMajor: boolean;
};

/** The longest that a wait is drawn, of all work together. */
const LONGEST_WAIT = 0.35;
const MOST_TICKS = 6;
/** Ticks that are nearer to the one before are left out, on small screens their labels. */
const LEAST_GAP = 0.12;
const LEAST_MAJOR_GAP = 0.42;

type Stretch = { readonly from: number; readonly to: number; readonly width: number };

export function axisOf(rows: readonly Row[]): Axis {
  const phases = rows.filter(({ depth }) => depth === 0);
  const begin = Math.min(...phases.map(({ from }) => from));
  const end = Math.max(...phases.map(({ to }) => to), begin + 1);
  const work = phases.filter(({ kind }) => kind === "attempt").reduce((sum, { from, to }) => sum + to - from, 0);
  const longest = work === 0 ? Number.POSITIVE_INFINITY : work * LONGEST_WAIT;
  const isShortened = ({ depth, kind, from, to }: Row) => depth === 0 && kind !== "attempt" && to - from > longest;

  const stretches: Stretch[] = [];
  let since = begin;
  for (const { from, to } of phases.filter(isShortened)) {
    stretches.push({ from: since, to: from, width: from - since }, { from, to, width: longest });
    since = to;
  }
  stretches.push({ from: since, to: end, width: end - since });
  const total = stretches.reduce((sum, { width }) => sum + width, 0);

  function at(time: number): number {
    let before = 0;
    for (const { from, to, width } of stretches) {
      if (time <= to) return (before + width * Math.max(0, (time - from) / Math.max(1, to - from))) / total;
      before += width;
    }
    return 1;
  }

  const times = stretches.length === 1 ? evenly(end - begin) : phases.map(({ from }) => from - begin);
  return { at, isShortened, ticks: apart(times.map((ms) => ({ ms, at: at(begin + ms) }))) };
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** What people count time in. */
const UNITS: readonly number[] = [
  ...[1, 10, 100].flatMap((ten) => [ten, 2 * ten, 5 * ten]),
  ...[1, 2, 5, 10, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 6, 12, 24, 96].map((hours) => hours * HOUR),
];

function evenly(length: number): readonly number[] {
  const unit = UNITS.find((one) => one >= length / MOST_TICKS) ?? length;
  return Array.from({ length: Math.floor(length / unit) + 1 }, (_, index) => index * unit);
}

function apart(ticks: readonly Omit<Tick, "isMajor">[]): readonly Tick[] {
  const kept: Tick[] = [];
  for (const tick of ticks) {
    const last = kept.at(-1);
    const lastMajor = kept.findLast(({ isMajor }) => isMajor);
    if (tick.at > 1 - LEAST_GAP / 2 || (last !== undefined && tick.at - last.at < LEAST_GAP)) continue;
    const isMajor = lastMajor === undefined || tick.at - lastMajor.at >= LEAST_MAJOR_GAP;
    kept.push({ ...tick, isMajor });
  }
  return kept;
}
