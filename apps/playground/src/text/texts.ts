/** Texts in both languages. Each folder has its own, beside the components that show them. */
import { language } from "../state/preferences.ts";

/** A text, or a function that makes it, for each language. */
type Both<Text> = { readonly en: Text; readonly zh: Text };

type Texts<All> = { readonly [Name in keyof All]: All[Name] extends Both<infer Text> ? Text : never };

/** Reading a text subscribes the component to the language. */
export function defineTexts<const All extends Readonly<Record<string, Both<unknown>>>>(all: All): Texts<All> {
  const texts = {};
  for (const [name, both] of Object.entries(all)) {
    Object.defineProperty(texts, name, { get: () => both[language.value], enumerable: true });
  }
  return texts as Texts<All>;
}
