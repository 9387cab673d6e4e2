/**
 * Redacts secrets in finished log lines, so that no caller can forget to do it: the exact secrets of the process, and
 * all text that looks like a credential, because errors of other services quote keys.
 *
 * Lines quote what clients sent, so each pattern must take linear time for any text: it begins with words that cannot
 * overlap its own repetitions.
 */
const CREDENTIAL_PATTERNS: readonly RegExp[] = [
  /\b(?:sk|ap|pk|rk)[-_][A-Za-z0-9_*.-]{8,}/g,
  /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi,
  /\b((?:api[-_ ]?key|authorization|password|passwd|secret|token|cookie)\\?["']?\s*[:=]\s*\\?["']?)[^\s"'\\,;}]{4,}/gi,
];
/** Looks back at `://` instead of reading the scheme before it, which `a.a.a.…` would make quadratic. */
const URL_CREDENTIALS = /(?<=:\/\/)[^\s/@"']+@/g;

export const REDACTED = "[redacted]";

/** Builds the function that redacts one line. Values in `secrets` of less than 6 characters are ignored. */
export function createRedactor(secrets: readonly string[]): (line: string) => string {
  const exact = [...new Set(secrets)].filter((secret) => secret.length >= 6);
  return (line) => {
    let redacted = line;
    for (const secret of exact) redacted = redacted.replaceAll(secret, REDACTED);
    for (const pattern of CREDENTIAL_PATTERNS) {
      redacted = redacted.replace(pattern, (_match, lead: unknown) =>
        typeof lead === "string" ? `${lead} ${REDACTED}` : REDACTED,
      );
    }
    // Looking back at every character takes as long as all the others.
    return redacted.includes("://") ? redacted.replace(URL_CREDENTIALS, `${REDACTED}@`) : redacted;
  };
}
