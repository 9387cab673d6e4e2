/** A client of Agent PaaS for Node and browsers. Its streams reconnect by themselves and lose no event. */
export { type ChatOptions, type Client, createClient, type Decisions, type Wait } from "./client.ts";
export { AgentPaasError } from "./errors.ts";
export type { AcceptedChat, JobOutcome, JobStream } from "./job-stream.ts";
export type { WaitOptions } from "./jobs.ts";
export type { UploadOptions } from "./knowledge.ts";
export type { RetryLimits } from "./retries.ts";
export type { CallOptions, ClientOptions, JobOptions } from "./transport.ts";
export type { UploadProgress } from "./upload.ts";
export type * from "./wire/answers.ts";
export type * from "./wire/events.ts";
export type * from "./wire/monitoring.ts";
export type * from "./wire/requests.ts";
