/** Numbers and times, as the language writes them. */
import { platformNow } from "../state/clock.ts";
import { language } from "../state/preferences.ts";

const locale = (): string => (language.value === "zh" ? "zh-CN" : "en-GB");

export const formatNumber = (value: number, maximumFractionDigits = 0): string =>
  new Intl.NumberFormat(locale(), { maximumFractionDigits }).format(value);

/** 840 ms, 3.2 s, 2 min 5 s. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ms`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${formatNumber(ms / 1_000, ms < 9_950 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_024) return `${bytes} B`;
  if (bytes < 1_024 ** 2) return `${formatNumber(bytes / 1_024, 1)} KiB`;
  if (bytes < 1_024 ** 3) return `${formatNumber(bytes / 1_024 ** 2, 1)} MiB`;
  return `${formatNumber(bytes / 1_024 ** 3, 1)} GiB`;
}

/** Today only the time, else date and time. */
export function formatTime(iso: string): string {
  const at = new Date(iso);
  const isToday = at.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(locale(), {
    ...(isToday ? {} : { dateStyle: "medium" }),
    timeStyle: isToday ? "medium" : "short",
  }).format(at);
}

const UNITS: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** "5 minutes ago"; the date when it is more than a week. */
export function formatAge(iso: string, now = platformNow()): string {
  const age = now - Date.parse(iso);
  if (age > 7 * 86_400_000) return new Intl.DateTimeFormat(locale(), { dateStyle: "medium" }).format(new Date(iso));
  const format = new Intl.RelativeTimeFormat(locale(), { numeric: "auto", style: "short" });
  const [unit, length] = UNITS.find(([, length]) => age >= length) ?? ["second", 1_000];
  return format.format(-Math.floor(Math.max(0, age) / length), unit);
}
