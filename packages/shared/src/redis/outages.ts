/**
 * Replies by which a server says that it cannot take a command now: outages like a lost connection. None of them has
 * changed anything, so the command may be sent again.
 */

/** Another server is the one to ask, or this one is not ready: a new connection looks it up. */
const ELSEWHERE = ["READONLY", "MOVED", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "UNBLOCKED"];

/** It passes on this very server: its replicas are away, or a slot is on its way to another one. */
const PASSING = ["NOREPLICAS", "ASK", "TRYAGAIN"];

/** Before Redis 7, an error inside a script came as the text of another one. */
const OLD_SCRIPT_ERROR = "ERR Error running script";

function hasCode({ message }: Error, codes: readonly string[]): boolean {
  if (message.startsWith(OLD_SCRIPT_ERROR)) return codes.some((code) => message.includes(`: -${code} `));
  return codes.some((code) => message.startsWith(`${code} `));
}

/** ioredis' `reconnectOnError`: 1 rejects the command and reconnects, 2 sends it again on the new connection. */
type ReconnectOnError = (error: Error) => false | 1 | 2;

/** For connections whose callers want to know: the command fails. */
export const failOnOutage: ReconnectOnError = (error) => (hasCode(error, ELSEWHERE) ? 1 : false);

/** For connections whose commands wait until Redis is back. A new connection also is the pause between two tries. */
export const waitOutOutage: ReconnectOnError = (error) => (hasCode(error, [...ELSEWHERE, ...PASSING]) ? 2 : false);
