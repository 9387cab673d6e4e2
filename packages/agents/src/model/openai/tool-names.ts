/**
 * Names of tools as every provider takes them: letters, digits, `_` and `-`, at most 64, beginning with a letter or
 * `_`. Models also call tools that nobody offered, by any name, and those calls go back with the conversation.
 */
import { createHash } from "node:crypto";

const MAX_CHARS = 64;
const HASH_CHARS = 6;

export type ToolNames = {
  toProvider(name: string): string;
  /** The platform's name of a tool that the model calls. */
  toPlatform(name: string): string;
};

/** `offered` keep their names if these fit; others never get a name that one of them has. */
export function createToolNames(offered: readonly string[]): ToolNames {
  const byPlatform = new Map<string, string>();
  const byProvider = new Map<string, string>();
  function assign(name: string): string {
    const fitting = fit(name);
    const given = (byProvider.get(fitting) ?? name) === name ? fitting : withHash(fitting, name);
    byPlatform.set(name, given);
    byProvider.set(given, name);
    return given;
  }
  const isFitting = (name: string) => fit(name) === name;
  for (const name of [...offered.filter(isFitting), ...offered]) if (!byPlatform.has(name)) assign(name);
  return {
    toProvider: (name) => byPlatform.get(name) ?? assign(name),
    toPlatform: (name) => byProvider.get(name) ?? name,
  };
}

function fit(name: string): string {
  const plain = name.replace(/[^a-zA-Z0-9_-]/g, "_");
  return (/^[a-zA-Z_]/.test(plain) ? plain : `_${plain}`).slice(0, MAX_CHARS);
}

function withHash(fitting: string, name: string): string {
  const hash = createHash("sha256").update(name.toWellFormed()).digest("hex").slice(0, HASH_CHARS);
  return `${fitting.slice(0, MAX_CHARS - HASH_CHARS - 1)}_${hash}`;
}
