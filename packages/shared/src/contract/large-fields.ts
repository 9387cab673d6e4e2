/**
 * Large fields. What a request makes large (`SIZEABLE_FIELDS`) does not travel through the queue: whatever reads a
 * queue's entries, in order to list, cancel or promote jobs, would read it as well, and a few hundred large jobs would
 * hold up everybody else's commands. Redis keeps these fields under a key of the job's own.
 */
import { mayChange, parseJson } from "../json/exact-json.ts";
import { type JobPayload, SIZEABLE_FIELDS, type SizeableField } from "./jobs.ts";

/** A field whose JSON is longer than this is large, bytes; and so is one with numbers that the queue would change. */
const INLINE_BYTES = 2_048;

export type SplitPayload = {
  /** What the queue gets, as JSON. */
  readonly data: string;
  /** The large fields as JSON, by name. */
  readonly large: ReadonlyMap<SizeableField, string>;
  /** The size of both. */
  readonly bytes: number;
};

type QueuedPayload = Omit<JobPayload, SizeableField> & Partial<Pick<JobPayload, SizeableField>>;

export function splitPayload(payload: JobPayload): SplitPayload {
  const whole = JSON.stringify(payload);
  const wholeBytes = Buffer.byteLength(whole);
  // Nothing in a small text is large.
  if (wholeBytes <= INLINE_BYTES && !mayChange(whole)) return { data: whole, large: NOTHING_LARGE, bytes: wholeBytes };
  const queued: QueuedPayload = { ...payload };
  const large = new Map<SizeableField, string>();
  let bytes = 0;
  for (const field of SIZEABLE_FIELDS) {
    const text = JSON.stringify(payload[field]);
    if (text === undefined) continue;
    const size = Buffer.byteLength(text);
    // BullMQ reads what is in the queue with `JSON.parse`.
    if (size <= INLINE_BYTES && (field === "text" || !mayChange(text))) continue;
    large.set(field, text);
    bytes += size;
    delete queued[field];
  }
  const data = large.size === 0 ? whole : JSON.stringify({ ...queued, large_fields: [...large.keys()] });
  return { data, large, bytes: bytes + Buffer.byteLength(data) };
}

const NOTHING_LARGE: SplitPayload["large"] = new Map();

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
