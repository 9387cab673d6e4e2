/**
 * A fault that lasts is one state, not one event per try. Of lines that say the same, the first is logged at once;
 * those that follow are counted, and logged once in 30 s with the fields of the last one and the count as `repeated`.
 */
import type { Logger } from "pino";
import { SECOND } from "../time.ts";

const SAY_AGAIN_AFTER_MS = 30 * SECOND;
/** So many kinds are told apart. More than that come from texts that vary, and are one kind. */
const MAX_KINDS = 200;

type Fields = Readonly<Record<string, unknown>>;
type Target = Pick<Logger, "info" | "warn">;
type Kind = { repeated: number; fields: Fields; text: string };

const kindsOfLoggers = new WeakMap<Target, Map<string, Kind>>();

/**
 * Logs what may come again and again. The same text with the same kind of `err` is the same line; give this the logger
 * of the process, so that all parts count together.
 */
export function logRepeatedly(logger: Target, level: "info" | "warn", fields: Fields, text: string): void {
  const kinds = kindsOfLoggers.get(logger) ?? new Map<string, Kind>();
  kindsOfLoggers.set(logger, kinds);
  const exact = `${level} ${text} ${kindOfError(fields.err)}`;
  const key = kinds.has(exact) || kinds.size < MAX_KINDS ? exact : level;
  const known = kinds.get(key);
  if (known !== undefined) {
    known.repeated++;
    known.fields = fields;
    known.text = text;
    return;
  }
  logger[level](fields, text);
  const kind: Kind = { repeated: 0, fields, text };
  kinds.set(key, kind);
  const timer = setInterval(() => {
    if (kind.repeated > 0) {
      logger[level]({ ...kind.fields, repeated: kind.repeated }, kind.text);
      kind.repeated = 0;
      return;
    }
    clearInterval(timer);
    kinds.delete(key);
  }, SAY_AGAIN_AFTER_MS).unref();
}

/** Messages contain ids and times; the first word of what Redis answers is its code, such as READONLY. */
function kindOfError(error: unknown): string {
  if (!(error instanceof Error)) return "";
  return `${error.name} ${"code" in error ? String(error.code) : error.message.split(" ", 1)[0]}`;
}
