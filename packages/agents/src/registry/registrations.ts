/**
 * Names and who holds them: agents and tools alike are registered by modules, the platform's own and plugins.
 * 1. A name belongs to the module that registers it first; nobody takes it from there.
 * 2. Nothing of a plugin that failed stays registered, and nothing of it is registered later.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { lineIn } from "./source-places.ts";

/** The plugin being imported, also for whatever its import sets off and leaves running. */
const importing = new AsyncLocalStorage<Plugin>();

export type Plugin = {
  readonly file: string;
  /** All of the folder, this one included: a plugin may import another. */
  readonly all: readonly string[];
};

type Entry<T> = { readonly value: T; readonly file: string | null; readonly line: number | null };

const registries: Map<string, Entry<unknown>>[] = [];
const failed = new Set<string>();

/** `what` names what is registered, in errors. */
export function createRegistry<T>(what: string) {
  const entries = new Map<string, Entry<T>>();
  registries.push(entries);
  return {
    get: (name: string): T | undefined => entries.get(name)?.value,
    values: (): T[] => [...entries.values()].map(({ value }) => value),
    /** Throws when the name is taken. */
    add(name: string, value: T): void {
      const { file, line } = whoRegisters();
      if (file !== null && failed.has(file)) throw new Error(`The plugin ${file} has failed and can register nothing`);
      const holder = entries.get(name);
      if (holder !== undefined) throw new Error(`The ${what} "${name}" is registered already, ${by(holder)}`);
      entries.set(name, { value, file, line });
    },
  };
}

export const asPlugin = <T>(plugin: Plugin, work: () => T): T => importing.run(plugin, work);

/** The plugin whose import has led to the code that runs now. */
export const currentPlugin = (): Plugin | undefined => importing.getStore();

export function takeBack(file: string): void {
  failed.add(file);
  for (const entries of registries) {
    for (const [name, entry] of entries) if (entry.file === file) entries.delete(name);
  }
}

/** The plugin whose own code calls; else the one whose import has led here. */
function whoRegisters(): { file: string | null; line: number | null } {
  const plugin = importing.getStore();
  if (plugin === undefined) return { file: null, line: null };
  const here = new Error();
  for (const file of plugin.all) {
    const line = lineIn(here, file);
    if (line !== null) return { file, line };
  }
  return { file: plugin.file, line: null };
}

function by({ file, line }: Entry<unknown>): string {
  if (file === null) return "by the platform";
  return `by ${file}${line === null ? "" : `, line ${line}`}`;
}
