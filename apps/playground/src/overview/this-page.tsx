/** Theme, language and key. On wide screens the navigation has them as well. */
import { BookOpen, LogOut } from "lucide";
import { useState } from "preact/hooks";
import { apiKey, forgetKey, keepKey, keptFor } from "../state/connection.ts";
import type { KeptFor } from "../state/kept.ts";
import { LANGUAGES, language, THEMES, theme } from "../state/preferences.ts";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { texts } from "./texts.ts";

const LANGUAGE_NAMES = { en: "English", zh: "中文" };
const PLACES: readonly KeptFor[] = ["tab", "device"];

export function ThisPage() {
  const [place, setPlace] = useState(keptFor());
  return (
    <section class="card this-page" aria-label={texts.thisPage}>
      <h2>{texts.thisPage}</h2>
      <Choice
        name={texts.theme}
        values={THEMES}
        chosen={theme.value}
        textOf={(value) => texts[value]}
        choose={(value) => {
          theme.value = value;
        }}
      />
      <Choice
        name={texts.language}
        values={LANGUAGES}
        chosen={language.value}
        textOf={(value) => LANGUAGE_NAMES[value]}
        choose={(value) => {
          language.value = value;
        }}
      />
      <Choice
        name={texts.key}
        values={PLACES}
        chosen={place}
        textOf={(value) => texts[value]}
        choose={(value) => {
          keepKey(apiKey.value ?? "", value);
          setPlace(value);
        }}
      />
      <div class="actions">
        <a class="button" href="docs" target="_blank" rel="noopener">
          <Icon of={BookOpen} size={16} />
          {texts.reference}
        </a>
        <Button icon={LogOut} onClick={forgetKey}>
          {texts.forget}
        </Button>
      </div>
    </section>
  );
}

type ChoiceProps<Value extends string> = {
  readonly name: string;
  readonly values: readonly Value[];
  readonly chosen: Value;
  readonly textOf: (value: Value) => string;
  readonly choose: (value: Value) => void;
};

function Choice<Value extends string>({ name, values, chosen, textOf, choose }: ChoiceProps<Value>) {
  return (
    <fieldset class="choice">
      <legend>{name}</legend>
      {values.map((value) => (
        <label key={value}>
          <input type="radio" name={name} checked={value === chosen} onChange={() => choose(value)} />
          <span>{textOf(value)}</span>
        </label>
      ))}
    </fieldset>
  );
}
