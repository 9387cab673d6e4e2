/**
 * A registry of named values and of the modules that hold the names. Agents and tools have one each.
 * 1. A name belongs to the module that registers it first; a later registration of the name fails.
 * 2. A plugin that failed holds no names: its entries are removed, and its later registrations fail.
 */

/** The plugin that registers, and the line of it that does; null for the platform's own modules. */
export type Holder = { readonly file: string; readonly line: number | null } | null;

export type NameRegistry<T> = {
  get(name: string): T | undefined;
  values(): T[];
  /** Throws when the name is taken, or when the holder's plugin was revoked. */
  add(name: string, value: T, holder: Holder): void;
  /** Removes all entries of the plugin `file`, and refuses its later ones (rule 2). */
  revoke(file: string): void;
};

/** `kind` names the values in errors: "agent", "tool". */
export function createNameRegistry<T>(kind: string): NameRegistry<T> {
  const entries = new Map<string, { readonly value: T; readonly holder: Holder }>();
  const revoked = new Set<string>();
  return {
    get: (name) => entries.get(name)?.value,
    values: () => [...entries.values()].map(({ value }) => value),
    add(name, value, holder) {
      if (holder !== null && revoked.has(holder.file)) {
        throw new Error(`The plugin ${holder.file} has failed and can register nothing`);
      }
      const taken = entries.get(name);
      if (taken !== undefined) throw new Error(`The ${kind} "${name}" is registered already, ${by(taken.holder)}`);
      entries.set(name, { value, holder });
    },
    revoke(file) {
      revoked.add(file);
      for (const [name, { holder }] of entries) if (holder?.file === file) entries.delete(name);
    },
  };
}

function by(holder: Holder): string {
  if (holder === null) return "by the platform";
  return `by ${holder.file}${holder.line === null ? "" : `, line ${holder.line}`}`;
}
