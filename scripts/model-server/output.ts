/** The common interface of the two response formats, event stream and whole document; a playback drives either. */
import type { FinishReason, Piece } from "./reply.ts";

export type Usage = {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
};

/** Fields of every chunk and of the whole completion. */
export type Head = {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
};

export type Output = {
  /** Adds a piece to the bytes of the next `flush`. */
  piece(piece: Piece): void;
  /** Sends the gathered pieces. False: the client reads slowly; continue after `drained`. */
  flush(): boolean;
  drained(resume: () => void): void;
  /** Ends the answer regularly. */
  finish(reason: FinishReason, usage: () => Usage): void;
  /** Ends the response without finish chunk and `[DONE]`. */
  finishUnmarked(usage: () => Usage): void;
  /** Sends the gathered pieces, or at least the headers, and nothing more. */
  stall(): void;
  /** Sends text that is not JSON. True: the answer can continue after it. */
  malformed(): boolean;
  /** Sends an error inside a 200 and nothing more. */
  error(): void;
  /** Sends bytes without content. */
  keepAlive(): void;
  /** Closes the connection in the middle of the answer. */
  cut(): void;
};

export const MIDSTREAM_ERROR = {
  error: { message: "The server had an error (scripted).", type: "server_error", code: null, param: null },
};
export const BROKEN_JSON = '{"id": "chatcmpl-broken", "choices": [{"delta": {"content": "';
