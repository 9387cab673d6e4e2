/** What a component shows is asked for when it appears, again when its inputs change, and every so often. */
import { AgentPaasError } from "@agent-paas/client";
import { type Inputs, useCallback, useEffect, useState } from "preact/hooks";
import { noteRefusal } from "../state/connection.ts";

export type Loaded<Value> = {
  /** The last answer; undefined before the first. */
  readonly value: Value | undefined;
  /** Why the last request failed. */
  readonly error: unknown;
  reload(): void;
};

/**
 * `load` must heed its signal. `everyMs` asks again while the page is visible, until an answer is the last by `until`,
 * or the request is one that the platform will never answer.
 */
export function useLoad<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  inputs: Inputs,
  { everyMs, until }: { readonly everyMs?: number; readonly until?: (value: Value) => boolean } = {},
): Loaded<Value> {
  const [state, setState] = useState<{ value: Value | undefined; error: unknown }>({ value: undefined, error: null });
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((last) => last + 1), []);

  useEffect(() => setState({ value: undefined, error: null }), inputs);

  useEffect(() => {
    const left = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isDue = false;
    async function ask(): Promise<void> {
      isDue = false;
      let isLast = false;
      try {
        const value = await load(left.signal);
        if (!left.signal.aborted) setState({ value, error: null });
        isLast = until?.(value) ?? false;
      } catch (error) {
        if (left.signal.aborted) return;
        noteRefusal(error);
        setState((last) => ({ ...last, error }));
        isLast = isFinal(error);
      }
      if (everyMs !== undefined && !isLast && !left.signal.aborted) timer = setTimeout(askIfSeen, everyMs);
    }
    function askIfSeen(): void {
      isDue = document.hidden;
      if (!isDue) void ask();
    }
    const onSeen = () => {
      if (isDue) askIfSeen();
    };
    document.addEventListener("visibilitychange", onSeen, { signal: left.signal });
    void ask();
    return () => {
      left.abort();
      clearTimeout(timer);
    };
  }, [...inputs, round, everyMs]);

  return { ...state, reload };
}

/** There is no such thing, or the request is wrong: it will be so again. */
const isFinal = (error: unknown): boolean =>
  error instanceof AgentPaasError && !error.retryable && error.status >= 400 && error.status < 500;
