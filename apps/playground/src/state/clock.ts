/** The platform's clock, by which times are told: that of this computer may be minutes or years away from it. */
import { signal } from "@preact/signals";

/** Smaller differences are not told from the way of an answer; the header has whole seconds. */
const LEAST_MS = 2_000;

/** How far the platform's clock is ahead, ms. */
const ahead = signal(0);

/** Unix time of the platform, ms; that of this computer until the platform was asked. */
export const platformNow = (): number => Date.now() + ahead.value;

/** Asks the platform for its time. Without an answer, this computer's stands. */
export async function readPlatformClock(): Promise<void> {
  const sent = Date.now();
  const { headers } = await fetch(new URL(".", location.href), { method: "HEAD", cache: "no-store" });
  const received = Date.now();
  ahead.value = differenceOf(headers.get("Date"), sent, received);
}

/** `date` as HTTP has it; 0 for none, and for less than can be told. */
export function differenceOf(date: string | null, sent: number, received: number): number {
  const difference = Date.parse(date ?? "") + 500 - (sent + received) / 2;
  return Math.abs(difference) > LEAST_MS + (received - sent) / 2 ? difference : 0;
}
