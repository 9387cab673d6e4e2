/** The messages to and from the load generator: plain data, because it is a separate process. */
import type { Spread } from "../measure/statistics.ts";

/** The request format: of the product, of a baseline, or of the model itself. */
export type Protocol = "platform" | "openai" | "baseline" | "model";

export type Target = { readonly protocol: Protocol; readonly port: number };

export type ChatLoad = {
  readonly kind: "chats";
  readonly target: Target;
  /** Number of clients, each with its own connection. */
  readonly clients: number;
  /** Number of chats that each client runs, one after the other. */
  readonly chatsPerClient: number;
  readonly tokens: number;
  /** Tokens per second and chat; null: as fast as possible. */
  readonly rate: number | null;
  /** Silence of the model before the first token, ms. */
  readonly silentMs?: number;
  /** The clients start evenly spread over this time, ms. */
  readonly rampMs: number;
};

export type ChatFindings = {
  readonly chats: number;
  /** Chats that were refused, broke off, failed or were silent for too long. */
  readonly failures: number;
  readonly firstFailure: string | null;
  readonly tokens: number;
  readonly missing: number;
  readonly doubled: number;
  /** Tokens that do not belong near their position. */
  readonly misplaced: number;
  /** Resets: a new attempt began and the client had to discard its text. */
  readonly restarts: number;
  /** From the request to its first token, ms. */
  readonly firstTokenMs: Spread;
  /** From the model's sending of a token to its arrival at the client, ms. */
  readonly lagMs: Spread;
  /** The same for tokens that arrived while every chat streamed. */
  readonly steadyLagMs: Spread;
  /** From the first request to the last end, ms. */
  readonly wallMs: number;
};

/** One POST, repeated. */
export type PostLoad = {
  readonly kind: "posts";
  readonly port: number;
  readonly path: string;
  readonly body: object;
  /** The expected status; any other status is a failure. */
  readonly status: number;
  readonly clients: number;
  readonly requestsPerClient: number;
};

export type PostFindings = {
  readonly failures: number;
  readonly firstFailure: string | null;
  /** From the request to the end of its response, ms. */
  readonly answerMs: Spread;
};

export type Load = ChatLoad | PostLoad;
export type Findings = ChatFindings | PostFindings;

/** Between `steady` and `ending` every chat streams. */
export type GeneratorMessage =
  | { readonly kind: "steady" | "ending"; readonly tokens: number }
  | { readonly kind: "findings"; readonly findings: Findings };
