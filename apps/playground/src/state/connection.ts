/**
 * The key and the client that carries it. The key comes from the link of `npm start` (`#key=…`) or from the person; it
 * is kept for this tab, or on this device if the person wants that. A text that no header can carry is no key.
 */
import { AgentPaasError, type Client, createClient } from "@agent-paas/client";
import { batch, computed, signal } from "@preact/signals";
import { forget, type KeptFor, keep, readKept } from "./kept.ts";
import { replaceRoute } from "./route.ts";

const NAME = "agent-paas.key";

/** What the platform reads as one key. */
const KEY = /^[\x21-\x7e]+$/;

const readKey = (keptFor: KeptFor): string | null => {
  const kept = readKept(NAME, keptFor);
  return kept !== null && KEY.test(kept) ? kept : null;
};

const key = signal(readKey("tab") ?? readKey("device"));

/** Null until there is a key. */
export const apiKey = computed(() => key.value);

/** Whether the platform refused the key, or would. */
export const isRefused = signal(false);

takeKeyOfLink();
addEventListener("hashchange", takeKeyOfLink);

export const client = computed<Client>(() =>
  createClient({ baseUrl: new URL(".", location.href).href, apiKey: key.value ?? "" }),
);

/** Where the key is kept. */
export const keptFor = (): KeptFor => (readKept(NAME, "device") === null ? "tab" : "device");

/** The same key at another place changes nothing else. */
export function keepKey(value: string, keptFor: KeptFor): void {
  batch(() => {
    forgetKey();
    isRefused.value = !KEY.test(value);
    if (isRefused.value) return;
    keep(NAME, value, keptFor);
    key.value = value;
  });
}

export function forgetKey(): void {
  forget(NAME);
  isRefused.value = false;
  key.value = null;
}

/** Asks for another key if the platform does not know this one. */
export function noteRefusal(error: unknown): void {
  if (error instanceof AgentPaasError && error.status === 401) isRefused.value = true;
}

/** The fragment never reaches a server; it leaves the address bar and the history at once. */
function takeKeyOfLink(): void {
  const found = new URLSearchParams(location.hash.slice(1)).get("key");
  if (found === null) return;
  replaceRoute("chat");
  if (found === "") return;
  batch(() => {
    isRefused.value = !KEY.test(found);
    key.value = isRefused.value ? null : found;
  });
  if (!isRefused.value) keep(NAME, found, "tab");
}
