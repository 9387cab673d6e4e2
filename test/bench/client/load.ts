/** What the load generator is told and what it answers: plain data, since it is a process of its own. */
import type { Spread } from "../measure/statistics.ts";

/** How a server is asked: the product, a yardstick, or the model itself. */
export type Protocol = "platform" | "yardstick" | "model";

export type Target = { readonly protocol: Protocol; readonly port: number };

export type ChatLoad = {
  readonly kind: "chats";
  readonly target: Target;
  /** Clients, each with a connection of its own. */
  readonly clients: number;
  /** One after the other, for each client. */
  readonly chatsPerClient: number;
  readonly tokens: number;
  /** Tokens per second and chat; null: as fast as it goes. */
  readonly rate: number | null;
  /** How long the model is silent before the first token, ms. */
  readonly silentMs?: number;
  /** The clients' beginnings are spread evenly over this time, ms. */
  readonly rampMs: number;
};

export type ChatFindings = {
  readonly chats: number;
  /** Chats that did not end well: refused, broken off, failed, silent for too long. */
  readonly failures: number;
  readonly firstFailure: string | null;
  readonly tokens: number;
  readonly missing: number;
  readonly doubled: number;
  /** Tokens that belong nowhere near their place. */
  readonly misplaced: number;
  /** Attempts that began anew and told the client to drop what it had. */
  readonly restarts: number;
  /** From the request to its first token, ms. */
  readonly firstTokenMs: Spread;
  /** From the model's sending of a token to its arrival, ms. */
  readonly lagMs: Spread;
  /** The same of the tokens that came while every chat streamed. */
  readonly steadyLagMs: Spread;
  /** From the first request to the last end, ms. */
  readonly wallMs: number;
};

/** The same POST again and again. */
export type PostLoad = {
  readonly kind: "posts";
  readonly port: number;
  readonly path: string;
  readonly body: object;
  /** The status of an answer that is none of the failures. */
  readonly status: number;
  readonly clients: number;
  readonly requestsPerClient: number;
};

export type PostFindings = {
  readonly failures: number;
  readonly firstFailure: string | null;
  /** From the request to the end of its answer, ms. */
  readonly answerMs: Spread;
};

export type Load = ChatLoad | PostLoad;
export type Findings = ChatFindings | PostFindings;

/** Between `steady` and `ending` every chat streams. */
export type GeneratorMessage =
  | { readonly kind: "steady" | "ending"; readonly tokens: number }
  | { readonly kind: "findings"; readonly findings: Findings };
