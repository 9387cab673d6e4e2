/** The value as JSON; null when it is nested too deeply for that. */
export function asJson(value: unknown): string | null {
  try {
    return JSON.stringify(value) ?? "null";
  } catch {
    return null;
  }
}
