/** A request in each language, one at a time. */
import { signal } from "@preact/signals";
import { useId } from "preact/hooks";
import { CopyButton } from "../ui/copy-button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import type { Call } from "./call.ts";
import { clientOf } from "./client.ts";
import { curlOf } from "./curl.ts";
import { openAiOf } from "./openai.ts";
import { texts } from "./texts.ts";

const LANGUAGES = ["curl", "openai-js", "openai-python", "client"] as const;
type Language = (typeof LANGUAGES)[number];

const NAMES: Readonly<Record<Language, () => string>> = {
  curl: () => "curl",
  "openai-js": () => "openai · JavaScript",
  "openai-python": () => "openai · Python",
  client: () => texts.client,
};

const codeOf = (request: Call, base: string): Readonly<Record<Language, () => string | null>> => ({
  curl: () => curlOf(request, base),
  "openai-js": () => openAiOf(request, base, "javascript"),
  "openai-python": () => openAiOf(request, base, "python"),
  client: () => clientOf(request, base),
});

/** The next dialog opens with the language of the last one. */
const chosen = signal<Language>("curl");

const STEPS: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };

export function SnippetDialog({ request, onClose }: { readonly request: Call; readonly onClose: () => void }) {
  const id = useId();
  const language = chosen.value;
  const code = codeOf(request, new URL(".", location.href).href)[language]();
  return (
    <Dialog title={texts.title} onClose={onClose} wide>
      <div class="snippet">
        <div
          class="tabs"
          role="tablist"
          aria-label={texts.languages}
          onKeyDown={({ key, currentTarget }) => {
            const at = LANGUAGES.indexOf(language) + (STEPS[key] ?? 0);
            chosen.value = LANGUAGES.at(at % LANGUAGES.length) ?? language;
            currentTarget.querySelector<HTMLElement>(`#${CSS.escape(`${id}-${chosen.value}`)}`)?.focus();
          }}
        >
          {LANGUAGES.map((one) => (
            <button
              key={one}
              id={`${id}-${one}`}
              type="button"
              role="tab"
              aria-selected={one === language}
              aria-controls={`${id}-code`}
              tabIndex={one === language ? 0 : -1}
              onClick={() => {
                chosen.value = one;
              }}
            >
              {NAMES[one]()}
            </button>
          ))}
        </div>
        <div class="code" id={`${id}-code`} role="tabpanel" aria-labelledby={`${id}-${language}`}>
          {code === null ? (
            <p class="muted">{texts.none}</p>
          ) : (
            <>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
              <pre tabIndex={0}>{code}</pre>
              <CopyButton text={() => code} label={texts.copy} />
            </>
          )}
        </div>
        <p class="hint">{texts.key}</p>
      </div>
    </Dialog>
  );
}
