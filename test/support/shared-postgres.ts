import { inject } from "vitest";

/** The URL of the PostgreSQL that all test files share; the first call starts it. */
export async function sharedPostgres(): Promise<string> {
  const response = await fetch(inject("postgresOffer"));
  const text = await response.text();
  if (!response.ok) throw new Error(`There is no PostgreSQL: ${text}`);
  return text;
}
