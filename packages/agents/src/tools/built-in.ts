/** Registers the tools that come with the platform. */
import { calculator } from "./calculator.ts";
import { currentTime } from "./current-time.ts";
import { createHttpFetch } from "./http-fetch.ts";
import { searchDocuments } from "./search-documents.ts";
import { registerTool } from "./toolbox.ts";

export function registerBuiltInTools({ httpFetchHosts }: { readonly httpFetchHosts: readonly string[] }): void {
  for (const tool of [calculator, currentTime, createHttpFetch(httpFetchHosts), searchDocuments]) registerTool(tool);
}
