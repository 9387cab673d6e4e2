/** How many jobs wait for a person, asked every few seconds while the page is visible. */
import { effect, signal } from "@preact/signals";
import { apiKey, client, isRefused, noteRefusal } from "../state/connection.ts";

const EVERY_MS = 5_000;
/** More are not counted. */
const MOST = 99;

export const waitingCount = signal(0);

async function ask(signal: AbortSignal): Promise<void> {
  if (apiKey.peek() === null || isRefused.peek()) return;
  try {
    waitingCount.value = (await client.peek().jobs.list({ status: "waiting", limit: MOST, signal })).jobs.length;
  } catch (error) {
    if (!signal.aborted) noteRefusal(error);
  }
}

/** Asks until the returned function is called; with a new key, and when the page is seen again, at once. */
export function watchWaitingJobs(): () => void {
  let asking = new AbortController();
  const again = () => {
    asking.abort();
    asking = new AbortController();
    void ask(asking.signal);
  };
  const stop = effect(() => {
    if (apiKey.value !== null) again();
  });
  const againIfSeen = () => document.hidden || again();
  const timer = setInterval(againIfSeen, EVERY_MS);
  document.addEventListener("visibilitychange", againIfSeen);
  return () => {
    stop();
    document.removeEventListener("visibilitychange", againIfSeen);
    clearInterval(timer);
    asking.abort();
  };
}
