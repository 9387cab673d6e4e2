/** What a page's main thread does, from the browser's own trace. */
import type { Browser, Page } from "playwright-core";

export type PageCost = {
  readonly seconds: number;
  /** Of the main thread. */
  readonly busyMs: number;
  /** Tasks of more than 50 ms. */
  readonly longTasks: number;
  readonly longestMs: number;
};

/** An event of Chromium's trace; times in µs. */
type TraceEvent = {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly args?: { readonly name?: string };
};

const CATEGORIES = ["toplevel", "disabled-by-default-devtools.timeline"];
const LONG_MS = 50;

/** Traces the browser while `work` runs. */
export async function tracePage(browser: Browser, page: Page, work: () => Promise<unknown>): Promise<PageCost> {
  await browser.startTracing(page, { categories: CATEGORIES });
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as {
    readonly traceEvents: readonly TraceEvent[];
  };
  const tasks = mainThreadTasks(traceEvents);
  return {
    seconds,
    busyMs: tasks.reduce((sum, ms) => sum + ms, 0),
    longTasks: tasks.filter((ms) => ms > LONG_MS).length,
    longestMs: Math.max(0, ...tasks),
  };
}

/** Durations in ms. Of several pages' processes the busiest is the one that is watched. */
function mainThreadTasks(events: readonly TraceEvent[]): readonly number[] {
  const threadOf = ({ pid, tid }: TraceEvent) => `${pid} ${tid}`;
  const main = new Set(
    events.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain").map(threadOf),
  );
  const tasks = events.filter((event) => event.name === "RunTask" && event.ph === "X" && main.has(threadOf(event)));
  const threads = [...Map.groupBy(tasks, threadOf).values()].map((list) => list.map(({ dur = 0 }) => dur / 1_000));
  const busy = (list: readonly number[]) => list.reduce((sum, ms) => sum + ms, 0);
  return threads.toSorted((one, other) => busy(other) - busy(one))[0] ?? [];
}
