/**
 * A run of another framework within a job: its stream is read in an async context that carries the job, so that tools
 * and models made once, for the whole process, find the job that calls them.
 *
 * 1. The framework's signal aborts with the job's, and when nobody reads the stream any more: upstream requests end.
 * 2. What must fail the job (an exhausted budget, a lost fence) fails it, also if the framework takes it for the
 *    failure of a tool and goes on.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { AgentContext } from "../agent/agent.ts";
import { untilAborted } from "../job/until-aborted.ts";
import type { ToolOutcome } from "../tools/job-tools.ts";
import { type CallsInFlight, createCallsInFlight, type OpenCall } from "./framework-calls.ts";
import { asPlatformError } from "./framework-errors.ts";

export type FrameworkRun = {
  readonly context: AgentContext<unknown>;
  /** For everything in the framework that takes a signal. */
  readonly signal: AbortSignal;
  /** What became of the tool calls, by the framework's ids of them. */
  readonly outcomes: Map<string, ToolOutcome>;
  readonly calls: CallsInFlight;
  /** The call whose work runs now. */
  readonly call: OpenCall | null;
  /** Ends the run; its reader gets the error (2). */
  fail(error: unknown): void;
};

const runs = new AsyncLocalStorage<FrameworkRun>();

/** The run that led to the code that runs now. Undefined outside a job, as in a unit test of a tool. */
export const currentRun = (): FrameworkRun | undefined => runs.getStore();

export const withinCall = <T>(run: FrameworkRun, call: OpenCall, work: () => T): T => runs.run({ ...run, call }, work);

/** Made once: an abort without a reason makes an error with a stack. */
const NOT_READ = new DOMException("The run is not read any more", "AbortError");

/**
 * Yields what the framework streams. Throws the reason of the job's end rather than what the framework makes of it, and
 * the platform's own error for a provider's failure.
 */
export async function* streamInJob<Part>(
  context: AgentContext<unknown>,
  start: (run: FrameworkRun) => AsyncIterable<Part> | PromiseLike<AsyncIterable<Part>>,
): AsyncGenerator<Part, void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const run: FrameworkRun = {
    ...{ context, signal, outcomes: new Map(), calls: createCallsInFlight(), call: null },
    fail: (error) => stop.abort(error),
  };
  const within = <T>(work: () => T): T => runs.run(run, work);
  let parts: AsyncIterator<Part> | undefined;
  try {
    const stream = await untilAborted(
      within(async () => start(run)),
      signal,
    );
    assertStream(stream);
    parts = within(() => stream[Symbol.asyncIterator]());
    for (;;) {
      const { next } = parts;
      const step = await untilAborted(
        within(async () => next.call(parts)),
        signal,
      );
      signal.throwIfAborted();
      if (step.done) {
        parts = undefined;
        return;
      }
      yield step.value;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw asPlatformError(error);
  } finally {
    if (parts !== undefined) {
      stop.abort(NOT_READ);
      // Not awaited: a framework that ignores its signal would hold the job.
      void within(async () => parts?.return?.()).catch(() => {});
    }
  }
}

/** Frameworks have calls that stream and calls that return the whole; to the compiler, both may look alike. */
export function assertStream(stream: unknown): asserts stream is AsyncIterable<unknown> {
  if (typeof stream === "object" && stream !== null && Symbol.asyncIterator in stream) return;
  const message = "The framework returned no stream: the adapter needs its streaming call.";
  throw new PlatformError("agent_failed", { message });
}
