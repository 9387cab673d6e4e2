/** Registers the tools that come with the platform. */
import { calculator } from "./calculator.ts";
import { currentTime } from "./current-time.ts";
import { createHttpFetch } from "./http-fetch.ts";
import { searchDocuments } from "./search-documents.ts";
import type { Tool } from "./tool.ts";

export type BuiltInToolOptions = {
  /** Hosts that `http_fetch` may ask; none switches it off. */
  readonly httpFetchHosts: readonly string[];
};

export function registerBuiltInTools(toolbox: { add(tool: Tool): void }, { httpFetchHosts }: BuiltInToolOptions): void {
  for (const tool of [calculator, currentTime, createHttpFetch(httpFetchHosts), searchDocuments]) toolbox.add(tool);
}
