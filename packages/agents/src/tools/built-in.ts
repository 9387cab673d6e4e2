/** Registers the tools that come with the platform. */
import { calculator } from "./calculator.ts";
import { currentTime } from "./current-time.ts";
import { createHttpFetch } from "./http-fetch.ts";
import { searchDocuments } from "./search-documents.ts";
import type { Tool } from "./tool.ts";

export type BuiltInToolOptions = {
  /** Hosts that `http_fetch` may ask; none switches it off. */
  readonly httpFetchHosts: readonly string[];
  /** The proxy through which it asks them. Default: none. */
  readonly httpFetchProxy?: string | undefined;
};

export function registerBuiltInTools(toolbox: { add(tool: Tool): void }, options: BuiltInToolOptions): void {
  const httpFetch = createHttpFetch(options.httpFetchHosts, { proxy: options.httpFetchProxy });
  for (const tool of [calculator, currentTime, httpFetch, searchDocuments]) toolbox.add(tool);
}
