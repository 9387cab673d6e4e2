/**
 * Keeps secrets out of the logs at the last place before a line leaves the process, so that no caller can forget it:
 * the exact secrets this process knows, and everything that looks like a credential (upstream errors quote keys).
 */
const CREDENTIAL_PATTERNS: readonly RegExp[] = [
  /\b(?:sk|ap|pk|rk)[-_][A-Za-z0-9_*.-]{8,}/g,
  /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}/gi,
  /\b((?:api[-_ ]?key|authorization|password|passwd|secret|token|cookie)\\?["']?\s*[:=]\s*\\?["']?)[^\s"'\\,;}]{4,}/gi,
  /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi,
];

export const REDACTED = "[redacted]";

/** Builds the function that scrubs one line; `secrets` are exact values, the short ones (under 6) are not searched for. */
export function createRedactor(secrets: readonly string[]): (line: string) => string {
  const exact = [...new Set(secrets)].filter((secret) => secret.length >= 6);
  return (line) => {
    let scrubbed = line;
    for (const secret of exact) scrubbed = scrubbed.replaceAll(secret, REDACTED);
    for (const pattern of CREDENTIAL_PATTERNS) {
      scrubbed = scrubbed.replace(pattern, (_match, lead: unknown) =>
        typeof lead === "string" ? (lead.endsWith("://") ? `${lead}${REDACTED}@` : `${lead} ${REDACTED}`) : REDACTED,
      );
    }
    return scrubbed;
  };
}
