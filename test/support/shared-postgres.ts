import { inject } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Where a test file asks for the URL of the shared PostgreSQL; the first one starts it. */
    postgresOffer: string;
  }
}

/** The URL of the PostgreSQL that all test files share; the first call starts it. */
export async function sharedPostgres(): Promise<string> {
  const response = await fetch(inject("postgresOffer"));
  const text = await response.text();
  if (!response.ok) throw new Error(`There is no PostgreSQL: ${text}`);
  return text;
}
