/**
 * Which schemas have used up the time or the memory of a check. A bounded memory: the oldest is forgotten first. It
 * also keeps how long the value was, because a shorter one may be checked in time.
 */

type Excess = { readonly chars: number; readonly reason: Error; readonly at: number };

export type SlowSchemas = {
  /** @param chars length of the value as JSON; 0 when the schema could not even be compiled. */
  remember(schema: string, chars: number, reason: Error): void;
  /** Why a value of that length is known to take too much; null when it is not. */
  find(schema: string, chars: number): Error | null;
};

export function createSlowSchemas({ max, keepMs }: { readonly max: number; readonly keepMs: number }): SlowSchemas {
  const known = new Map<string, Excess>();

  function current(schema: string): Excess | undefined {
    const excess = known.get(schema);
    if (excess === undefined || performance.now() - excess.at < keepMs) return excess;
    known.delete(schema);
    return undefined;
  }

  return {
    remember(schema, chars, reason) {
      const shortest = Math.min(chars, current(schema)?.chars ?? chars);
      known.delete(schema);
      known.set(schema, { chars: shortest, reason, at: performance.now() });
      const [oldest] = known.keys();
      if (known.size > max && oldest !== undefined) known.delete(oldest);
    },
    find(schema, chars) {
      const excess = current(schema);
      return excess !== undefined && chars >= excess.chars ? excess.reason : null;
    },
  };
}
