/**
 * What the page keeps in the browser, for this tab or on this device. A browser may refuse: with cookies blocked, or
 * with no room left. Then it is kept for as long as the page stands.
 */

export type KeptFor = "tab" | "device";

const memory: Readonly<Record<KeptFor, Map<string, string>>> = { tab: new Map(), device: new Map() };

/** Throws where the browser refuses even to name its storage. */
const storageOf = (keptFor: KeptFor): Storage => (keptFor === "device" ? localStorage : sessionStorage);

export function readKept(name: string, keptFor: KeptFor): string | null {
  try {
    return storageOf(keptFor).getItem(name) ?? memory[keptFor].get(name) ?? null;
  } catch {
    return memory[keptFor].get(name) ?? null;
  }
}

export function keep(name: string, value: string, keptFor: KeptFor): void {
  try {
    storageOf(keptFor).setItem(name, value);
    memory[keptFor].delete(name);
  } catch {
    memory[keptFor].set(name, value);
  }
}

export function forget(name: string): void {
  for (const keptFor of ["tab", "device"] as const) {
    memory[keptFor].delete(name);
    try {
      storageOf(keptFor).removeItem(name);
    } catch {
      // It keeps nothing.
    }
  }
}
