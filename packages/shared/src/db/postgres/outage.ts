/** Outages of PostgreSQL: which errors are one, and which of them mean that the connection is of no use any more. */

/** Of Node's sockets and resolver, and of the Unix socket's file. */
const SOCKET_CODES: ReadonlySet<string> = new Set([
  ...["ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "EHOSTUNREACH", "EHOSTDOWN"],
  ...["ENETUNREACH", "ENETDOWN", "ENOTFOUND", "EAI_AGAIN", "EADDRNOTAVAIL", "ENOENT", "EACCES", "EMFILE"],
]);

/**
 * Classes and codes of SQLSTATE that end the connection, or after which another connection may do better: broken
 * connections, refused ones (users and databases may come back), too many of them, servers that stop, start or are a
 * read-only standby by now, and prepared statements that a pooler or a migration has taken away.
 */
const CONNECTION_STATES: readonly string[] = [
  ...["08", "28", "3D", "53300", "57P", "25006", "25P03", "26000", "42P05", "0A000", "55000"],
];

/**
 * Those that may pass on the same connection: locks and time limits, conflicts with other transactions, full disks and
 * missing memory, missing rights, faults of the system, and damaged pages, which may be restored.
 */
const PASSING_STATES: readonly string[] = ["40", "53", "55P03", "57014", "58", "42501", "XX"];

const stateOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

const begins = (state: string, states: readonly string[]): boolean => states.some((known) => state.startsWith(known));

/** pg's own errors about connections have no code. */
const CONNECTION_MESSAGES: readonly string[] = [
  ...["Connection terminated", "connection error and is not queryable", "timeout expired", "Client was closed"],
  ...["SSL connection", "timeout exceeded when trying to connect", "The link is silent"],
];

/** Whether a new connection is needed for the next try. */
export function isConnectionFault(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const state = stateOf(error);
  if (state === "") return CONNECTION_MESSAGES.some((text) => error.message.includes(text));
  return SOCKET_CODES.has(state) || state.startsWith("ERR_") || isTlsCode(state) || begins(state, CONNECTION_STATES);
}

/** OpenSSL's codes of certificates that are refused have words where those of PostgreSQL have five characters. */
const isTlsCode = (code: string): boolean => code.includes("CERT") || code.includes("SIGNATURE");

export const isOutage = (error: unknown): boolean =>
  (error instanceof Error && error.name === "KnexTimeoutError") ||
  isConnectionFault(error) ||
  begins(stateOf(error), PASSING_STATES);

/** For readers, which are read-only themselves: a write that they try is the mistake of its statement. */
export const isOutageOfReads = (error: unknown): boolean => stateOf(error) !== "25006" && isOutage(error);

/** Conflicts between transactions, after which the same batch is tried again at once. */
export const isConflict = (error: unknown): boolean => begins(stateOf(error), ["40"]);

/** Whether the server may have committed: it broke off instead of answering. */
export const isUnanswered = (error: unknown): boolean => {
  const state = stateOf(error);
  return state === "" || SOCKET_CODES.has(state) || begins(state, ["08", "57P", "XX"]);
};

/** The database or its tables do not exist yet. */
export const isAbsent = (error: unknown): boolean => stateOf(error) === "42P01";

/** The statement of a guard divides by zero when it did not touch exactly one row. */
export const isGuardFailure = (error: unknown): boolean => stateOf(error) === "22012";
