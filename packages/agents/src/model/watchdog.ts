/**
 * The time limits of one model turn. Only content resets the limit of silence: a provider that sends nothing but
 * keep-alive comments counts as silent.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

export type ModelLimits = {
  /** From the request until the provider accepts the connection, ms. */
  readonly connectMs: number;
  /** From the request to the first piece of content, ms. */
  readonly firstTokenMs: number;
  /** Between two pieces of content, ms. */
  readonly idleMs: number;
  /** For the whole call, ms. */
  readonly totalMs: number;
};

export type Watchdog = {
  /** Aborts with the reason of the caller's signal, or with `model_timeout` when a limit is reached. */
  readonly signal: AbortSignal;
  /** Must be called for each piece of content: it restarts the idle limit. */
  touch(): void;
  release(): void;
};

export function startWatchdog(limits: ModelLimits, callerSignal: AbortSignal): Watchdog {
  const controller = new AbortController();
  const expire = (message: string) => () => controller.abort(new PlatformError("model_timeout", { message }));
  const seconds = (ms: number) => `${ms / 1_000} s`;
  const onCallerAbort = () => controller.abort(callerSignal.reason);

  const total = setTimeout(
    expire(`The model did not finish its answer within ${seconds(limits.totalMs)}.`),
    limits.totalMs,
  );
  let silence = setTimeout(
    expire(`The model sent no token within ${seconds(limits.firstTokenMs)}.`),
    limits.firstTokenMs,
  );
  const fallSilent = expire(`The model fell silent for ${seconds(limits.idleMs)}.`);
  /** Of the latest content; tokens are many, so they set no timer. Null: there was none. */
  let touchedAt: number | null = null;

  function watchSilence(ms: number): void {
    silence = setTimeout(() => {
      const left = (touchedAt ?? 0) + limits.idleMs - performance.now();
      if (left > 0) watchSilence(left);
      else fallSilent();
    }, ms);
  }

  if (callerSignal.aborted) onCallerAbort();
  else callerSignal.addEventListener("abort", onCallerAbort, { once: true });

  return {
    signal: controller.signal,
    touch() {
      const isFirst = touchedAt === null;
      touchedAt = performance.now();
      if (!isFirst) return;
      clearTimeout(silence);
      watchSilence(limits.idleMs);
    },
    release() {
      clearTimeout(total);
      clearTimeout(silence);
      callerSignal.removeEventListener("abort", onCallerAbort);
    },
  };
}
