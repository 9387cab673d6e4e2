/** What the person chose: theme and language. Kept on this device. */
import { effect, signal } from "@preact/signals";
import { keep, readKept } from "./kept.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

const kept = <Value extends string>(name: string, values: readonly Value[], initial: Value) => {
  const stored = readKept(`agent-paas.${name}`, "device");
  const choice = signal<Value>(values.find((value) => value === stored) ?? initial);
  effect(() => keep(`agent-paas.${name}`, choice.value, "device"));
  return choice;
};

export const theme = kept("theme", THEMES, "system");
export const language = kept("language", LANGUAGES, navigator.language.startsWith("zh") ? "zh" : "en");

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});
effect(() => {
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
});
