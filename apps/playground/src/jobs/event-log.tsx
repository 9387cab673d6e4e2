/** The events of a job as they come, in a fold. Nothing is asked for before it is opened. */
import type { StreamEvent } from "@agent-paas/client";
import { useEffect, useState } from "preact/hooks";
import { client } from "../state/connection.ts";
import { formatNumber } from "../text/format.ts";
import { Failure } from "../ui/states.tsx";
import { texts } from "./texts.ts";

/** More are counted, not shown. */
const MOST_SHOWN = 1_000;
const MAX_CHARS = 2_000;
/** How long events are gathered before they are drawn, ms. */
const DRAW_EVERY_MS = 200;

export function EventLog({ jobId }: { readonly jobId: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details class="card fold" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{texts.events}</summary>
      {isOpen && <Events jobId={jobId} />}
    </details>
  );
}

type Log = {
  /** Newest first. */
  readonly events: readonly StreamEvent[];
  readonly leftOut: number;
  readonly error: unknown;
};

function Events({ jobId }: { readonly jobId: string }) {
  const { events, leftOut, error } = useEvents(jobId);
  return (
    <>
      <p class="hint">
        {texts.eventsHint} {leftOut > 0 && texts.eventsLeftOut(formatNumber(leftOut))}
      </p>
      {error !== null && <Failure error={error} />}
      {events.length === 0 && error === null && <p class="muted">{texts.noEvents}</p>}
      <ol class="events">
        {events.map(({ id, event, data }) => (
          <li key={id}>
            <span class="number muted">{id}</span> <b>{event}</b> <code dir="auto">{cut(JSON.stringify(data))}</code>
          </li>
        ))}
      </ol>
    </>
  );
}

const cut = (text: string): string => (text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text);

function useEvents(jobId: string): Log {
  const [log, setLog] = useState<Log>({ events: [], leftOut: 0, error: null });
  const key = client.value;
  useEffect(() => {
    const left = new AbortController();
    const gathered: StreamEvent[] = [];
    let count = 0;
    let error: unknown = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      timer = undefined;
      setLog({ events: gathered.toReversed(), leftOut: count - gathered.length, error });
    };
    async function read(): Promise<void> {
      try {
        for await (const event of key.events(jobId, { signal: left.signal })) {
          count += 1;
          gathered.push(event);
          if (gathered.length > MOST_SHOWN) gathered.shift();
          timer ??= setTimeout(draw, DRAW_EVERY_MS);
        }
      } catch (failure) {
        error = failure;
      }
      if (!left.signal.aborted) draw();
    }
    void read();
    return () => {
      left.abort();
      clearTimeout(timer);
    };
  }, [jobId, key]);
  return log;
}
