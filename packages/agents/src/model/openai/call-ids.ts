/** The ids of tool calls: new ones, and those of a request, each of its own and of the form that the provider takes. */
import { createHash, randomInt } from "node:crypto";

export type CallIdForm = {
  readonly least: number;
  readonly most: number;
  /** Whether letters and digits alone are taken. */
  readonly isPlain: boolean;
};

/** OpenAI takes at most 40 characters, whatever they are. */
export const ANY_CALL_ID: CallIdForm = { least: 1, most: 40, isPlain: false };
/** Mistral's models and the servers that run them. */
export const NINE_CHARS: CallIdForm = { least: 9, most: 9, isPlain: true };

const ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/**
 * The id of a call whose provider sends none. Random, because it must differ from those of all turns before, of which a
 * request may hold a part; the journal keeps it with its turn. Every provider takes its form as it is.
 */
export const newCallId = (): string =>
  Array.from({ length: NINE_CHARS.most }, () => ALPHANUMERIC[randomInt(ALPHANUMERIC.length)]).join("");

/** Called once for each call, in their order. An id that fits and is new stays as it is. */
export function createCallIds(form: CallIdForm): (id: string) => string {
  const used = new Set<string>();
  return (id) => {
    let fitting = id.toWellFormed();
    for (let attempt = 0; used.has(fitting) || !fits(fitting, form); attempt++) {
      fitting = derive(`${id.toWellFormed()} ${used.size} ${attempt}`, form);
    }
    used.add(fitting);
    return fitting;
  };
}

const fits = (id: string, { least, most, isPlain }: CallIdForm): boolean =>
  id.length >= least && id.length <= most && id.trim() !== "" && (!isPlain || [...id].every(isAlphanumeric));

const isAlphanumeric = (char: string): boolean => ALPHANUMERIC.includes(char);

/** Depends on nothing that a later turn changes, so that a provider's cache knows the beginning of the request. */
const derive = (source: string, { most }: CallIdForm): string =>
  createHash("sha256").update(source).digest("hex").slice(0, Math.min(most, 24));
