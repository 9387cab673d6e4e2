import type { Services } from "../../services.ts";

export type McpServices = Services & {
  /** Where the native wire shows a job, for those who are told to look there. */
  readonly jobPath: (jobId: string) => string;
};
