import type { Locale } from "@agent-paas/shared/contract/locale.ts";

/** What a job takes over from the request that made it, whatever the door. */
export type JobOrigin = {
  /** The name of the API key: it owns the job and everything the job makes (I8). */
  readonly owner: string;
  readonly requestId: string;
  readonly locale: Locale;
  /** W3C Trace Context of the request, valid; undefined if it sent none. */
  readonly traceparent: string | undefined;
  /** Adds fields to the request's line in the log. */
  readonly note: (fields: Readonly<Record<string, unknown>>) => void;
};

/** The fields of a job's payload that come from its origin. */
export const originFields = ({ owner, requestId, locale, traceparent }: JobOrigin) => ({
  owner,
  locale,
  request_id: requestId,
  ...(traceparent === undefined ? {} : { traceparent }),
});
