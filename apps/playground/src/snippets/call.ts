/** A request to the platform, as the lines to copy show it. */
import type { ChatRequest, ExecuteRequest, QueryRequest } from "@agent-paas/client";

export type Call =
  | { readonly kind: "chat"; readonly body: Omit<ChatRequest, "stream"> }
  | { readonly kind: "execute"; readonly agent: string; readonly body: ExecuteRequest }
  /** `after`: the last event that was seen. Default: all events. */
  | { readonly kind: "events"; readonly jobId: string; readonly after?: number | undefined }
  /** Without `text`, a file of the name `source`. */
  | {
      readonly kind: "upload";
      readonly collection: string;
      readonly source: string;
      readonly text?: string | undefined;
    }
  | { readonly kind: "query"; readonly collection: string; readonly body: QueryRequest };

/** Where the platform is, with a slash at its end: `http://127.0.0.1:8000/`. */
export type BaseUrl = string;
