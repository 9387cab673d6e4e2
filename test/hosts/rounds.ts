/** What happens to which host, one after the other, while the processes on it run on. */
import { SECOND } from "@agent-paas/shared/time.ts";
import type { Cut } from "./network.ts";

/** Of the hosts with an API and workers, only c is cut off. */
export type HostName = "a" | "b" | "c";

export type Round = {
  readonly name: string;
  readonly about: string;
  readonly host: Exclude<HostName, "b">;
  readonly how: Cut;
  /** How long; null: until every client has its answer. */
  readonly awayMs: number | null;
};

/** Long enough for jobs to be taken over, and short enough for the first runs to go on when the link is back. */
const C_AWAY_MS = 30 * SECOND;
const A_AWAY_MS = 20 * SECOND;

const HOW = {
  link: "its link is down",
  both: "packets to and from it are dropped",
  in: "it receives nothing, and sends",
  out: "it sends nothing, and receives",
  opened: "packets of connections that it has opened are dropped, new connections work",
} as const satisfies Record<Cut, string>;

function round(host: Round["host"], how: Cut, awayMs: number | null): Round {
  const until = awayMs === null ? "until every client has its answer" : `for ${awayMs / SECOND} s`;
  return { name: `${host}-${how}`, about: `host ${host}: ${HOW[how]}, ${until}`, host, how, awayMs };
}

export const ROUNDS: readonly Round[] = [
  round("c", "link", null),
  round("a", "link", A_AWAY_MS),
  round("c", "both", C_AWAY_MS),
  round("c", "in", C_AWAY_MS),
  round("c", "out", C_AWAY_MS),
  round("c", "opened", null),
  round("a", "both", A_AWAY_MS),
  round("a", "in", A_AWAY_MS),
  round("a", "out", A_AWAY_MS),
];
