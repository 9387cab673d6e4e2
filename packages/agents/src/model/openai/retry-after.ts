/** How long a provider asks to wait before the next request: by header, by a field of the body, or in words. */
import { DAY, HOUR, MINUTE, SECOND } from "@agent-paas/shared/time.ts";

/** No answer makes anything wait longer; the job's own delays have shorter bounds. */
export const LONGEST_WAIT_MS = DAY;

/** Headers by their unit; the first that can be read counts. */
const HEADERS: readonly (readonly [name: string, unitMs: number])[] = [
  ["retry-after-ms", 1],
  ["x-ms-retry-after-ms", 1],
  ["retry-after", SECOND],
];

/** Null: not told. */
export function waitInHeaders(headers: Headers | undefined): number | null {
  for (const [name, unitMs] of HEADERS) {
    const text = headers?.get(name)?.trim();
    if (!text) continue;
    const ms = NUMBER.test(text) ? Number(text) * unitMs : (durationOf(text) ?? Date.parse(text) - Date.now());
    if (Number.isFinite(ms)) return boundedWait(ms);
  }
  return null;
}

export const boundedWait = (ms: number): number => Math.round(Math.min(Math.max(ms, 0), LONGEST_WAIT_MS));

const NUMBER = /^\d{1,15}(?:\.\d{0,15})?$/;

const UNIT_MS: Readonly<Record<string, number>> = { s: SECOND, m: MINUTE, h: HOUR, d: DAY };
const PIECE =
  /(\d{1,9}(?:\.\d{1,9})?)\s{0,2}(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d)/y;

/** Of a duration such as `33.5s`, `1m30s`, `6 minutes`, `2h 5m`, at the beginning of the text. */
export function durationOf(text: string): number | null {
  let ms = 0;
  let at = 0;
  for (;;) {
    PIECE.lastIndex = at;
    const piece = PIECE.exec(text);
    if (piece === null) return at === 0 ? null : boundedWait(ms);
    const [whole, amount = "0", unit = "s"] = piece;
    const isMs = unit === "ms" || unit.startsWith("milli");
    ms += Number(amount) * (isMs ? 1 : (UNIT_MS[unit.charAt(0)] ?? SECOND));
    at += whole.length;
    while (text[at] === " ") at++;
  }
}

const BEFORE_WAIT = ["try again in ", "retry in ", "retry after ", "try again after ", "available in "];

/** Of a message such as `Please try again in 1m30s.` Bounded: it reads the beginning of a message. */
export function waitInWords(message: string): number | null {
  const text = message.slice(0, 2_000).toLowerCase();
  for (const words of BEFORE_WAIT) {
    const at = text.indexOf(words);
    const wait = at < 0 ? null : durationOf(text.slice(at + words.length, at + words.length + 60));
    if (wait !== null) return wait;
  }
  return null;
}
