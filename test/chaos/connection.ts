/** One HTTP request of a client, and what the text received so far says: enough to resume, without evaluating it. */
import { SECOND } from "@agent-paas/shared/time.ts";
import { API_KEY } from "./stack.ts";
import type { Connection } from "./transcript.ts";

const RESPONSE_WITHIN_MS = 10 * SECOND;
/** The APIs of a run send a heartbeat every two seconds. */
const SILENCE_MS = 10 * SECOND;

export const now = () => performance.timeOrigin + performance.now();

/** Rejects when no response begins in time; `connection` can abort the request at any time. */
export async function request(
  origin: string,
  path: string,
  init: RequestInit = {},
  connection = new AbortController(),
): Promise<Response> {
  const overdue = setTimeout(() => connection.abort(), RESPONSE_WITHIN_MS);
  try {
    const headers = { Authorization: `Bearer ${API_KEY}`, "Content-Type": "application/json", ...init.headers };
    return await fetch(`${origin}/api/v1${path}`, { ...init, headers, signal: connection.signal });
  } finally {
    clearTimeout(overdue);
  }
}

/** Reads until the response ends, breaks off or falls silent, or until `cutAfter` pieces have arrived. */
export async function readStream(response: Response, into: Connection, drop: () => void, cutAfter: number) {
  const close = (how: Connection["closed"]) => {
    if (into.closed === "open") into.closed = how;
  };
  const silence = setTimeout(() => {
    close("silent");
    drop();
  }, SILENCE_MS);
  try {
    for await (const text of (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream())) {
      silence.refresh();
      into.chunks.push([now(), text]);
      if (into.chunks.length < cutAfter) continue;
      close("cut");
      drop();
      return;
    }
    close("end");
  } catch {
    close("error");
  } finally {
    clearTimeout(silence);
  }
}

/** The complete frames. JSON contains no raw line break, so a line of this text is always a field of a frame. */
const wholeFrames = ({ chunks }: Connection): string => {
  const text = chunks.map(([, chunk]) => chunk).join("");
  return text.slice(0, text.lastIndexOf("\n\n") + 2);
};

const streamsOf = (connections: readonly Connection[]) => connections.filter(({ status }) => status === 200);

export const hasEnded = (connections: readonly Connection[]): boolean =>
  connections.at(-1)?.status === 204 ||
  streamsOf(connections).some((connection) => /^event: done$/m.test(wholeFrames(connection)));

/** The id of the last complete event; 0 before the first. */
export function lastIdOf(connections: readonly Connection[]): number {
  const ids = streamsOf(connections).flatMap((connection) => [...wholeFrames(connection).matchAll(/^id: (\d+)$/gm)]);
  return Number(ids.at(-1)?.[1] ?? 0);
}
