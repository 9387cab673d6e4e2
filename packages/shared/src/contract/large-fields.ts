/**
 * Large fields. What a request makes large (text, input, config, limits, metadata) does not travel through the queue:
 * whatever reads a queue's entries, in order to list, cancel or promote jobs, would read it as well, and a few hundred
 * large jobs would hold up everybody else's commands. Redis keeps these fields under a key of the job's own.
 */
import { mayChange, parseJson } from "../json/exact-json.ts";
import { type JobPayload, SIZEABLE_FIELDS, type SizeableField } from "./jobs.ts";

/** A field whose JSON is longer than this is large, bytes; and so is one with numbers that the queue would change. */
const INLINE_BYTES = 2_048;

export type SplitPayload = {
  /** What the queue gets. */
  readonly queued: Omit<JobPayload, SizeableField> & Partial<Pick<JobPayload, SizeableField>>;
  /** The large fields as JSON, by name. */
  readonly large: ReadonlyMap<SizeableField, string>;
  /** The size of all fields that a request may make large, those in the queue too. */
  readonly bytes: number;
};

export function splitPayload(payload: JobPayload): SplitPayload {
  const queued: Omit<JobPayload, SizeableField> & Partial<Pick<JobPayload, SizeableField>> = { ...payload };
  const large = new Map<SizeableField, string>();
  let bytes = 0;
  for (const field of SIZEABLE_FIELDS) {
    const text = JSON.stringify(payload[field]);
    if (text === undefined) continue;
    const size = Buffer.byteLength(text);
    bytes += size;
    // BullMQ reads what is in the queue with `JSON.parse`.
    if (size <= INLINE_BYTES && (field === "text" || !mayChange(text))) continue;
    large.set(field, text);
    delete queued[field];
  }
  return { queued: large.size === 0 ? queued : { ...queued, large_fields: [...large.keys()] }, large, bytes };
}

/** The whole payload, unchecked. A large field that is not stored any more is missing. */
export const joinPayload = (data: object, stored: Readonly<Record<string, string>>): unknown => ({
  ...data,
  ...Object.fromEntries(Object.entries(stored).map(([field, text]) => [field, parseJson(text)])),
});

/** The large fields of a payload as its queue has it, which may be one that cannot be read. */
export function largeFieldsOf(data: unknown): readonly unknown[] {
  if (typeof data !== "object" || data === null || !("large_fields" in data)) return [];
  return Array.isArray(data.large_fields) ? data.large_fields : [];
}
