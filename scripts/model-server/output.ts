/** The two ways an answer leaves: as an event stream or whole. A playback drives either without knowing which. */
import type { FinishReason, Piece } from "./reply.ts";

export type Usage = {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
};

/** What every chunk and the whole completion repeat. */
export type Head = {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
};

export type Output = {
  /** Adds a piece to what the next `flush` sends. */
  piece(piece: Piece): void;
  /** Sends what has gathered. False: the client reads slowly; go on after `drained`. */
  flush(): boolean;
  drained(resume: () => void): void;
  /** The regular end. */
  finish(reason: FinishReason, usage: () => Usage): void;
  /** All was sent, but the marks of the end are missing. */
  finishUnmarked(usage: () => Usage): void;
  /** Sends what has gathered, at least the headers; nothing follows. */
  stall(): void;
  /** Something that is not JSON. True: the answer can go on behind it. */
  malformed(): boolean;
  /** An error inside a 200; nothing follows. */
  error(): void;
  /** Bytes that carry nothing. */
  keepAlive(): void;
  /** Ends the connection in the middle. */
  cut(): void;
};

export const MIDSTREAM_ERROR = {
  error: { message: "The server had an error (scripted).", type: "server_error", code: null, param: null },
};
export const BROKEN_JSON = '{"id": "chatcmpl-broken", "choices": [{"delta": {"content": "';
