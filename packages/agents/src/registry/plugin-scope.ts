/**
 * The scope of a plugin's import: which plugin it is, and which registries its registrations go to. An async context
 * carries the scope, so that code which the import starts and leaves running still belongs to its plugin.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { AgentRegistry } from "./agent-registry.ts";
import type { Holder } from "./name-registry.ts";
import { lineIn } from "./source-places.ts";
import type { Toolbox } from "./toolbox.ts";

export type PluginScope = {
  /** The module being imported. */
  readonly file: string;
  /** All plugins of the folder, this one included: one plugin may import another. */
  readonly folder: readonly string[];
  readonly agents: AgentRegistry;
  readonly toolbox: Toolbox;
};

const importing = new AsyncLocalStorage<PluginScope>();

export const runAsPlugin = <T>(scope: PluginScope, work: () => T): T => importing.run(scope, work);

/** The scope of the import that led to the code that runs now, if any did. */
export const currentPlugin = (): PluginScope | undefined => importing.getStore();

/** The plugin whose own code is on the stack; else the one whose import led here. */
export function holderIn({ file, folder }: PluginScope): Holder {
  const here = new Error();
  for (const plugin of folder) {
    const line = lineIn(here, plugin);
    if (line !== null) return { file: plugin, line };
  }
  return { file, line: null };
}
