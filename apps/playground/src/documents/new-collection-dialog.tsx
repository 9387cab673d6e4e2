/** The name of a collection that does not exist yet: its page then takes the first document. */
import { useId, useState } from "preact/hooks";
import { goTo } from "../state/route.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { texts } from "./texts.ts";

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$/;

export function NewCollectionDialog({ onClose }: { readonly onClose: () => void }) {
  const [name, setName] = useState("");
  const hint = useId();
  const isWrong = name !== "" && !NAME.test(name);
  return (
    <Dialog title={texts.newCollection} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          goTo("documents", name);
        }}
      >
        <label class="field">
          <span class="name">{texts.name}</span>
          <input
            required
            maxLength={63}
            autocomplete="off"
            spellcheck={false}
            value={name}
            aria-invalid={isWrong}
            aria-describedby={hint}
            onInput={(event) => setName(event.currentTarget.value.trim())}
          />
          <span id={hint} class={isWrong ? "problem" : "hint"} role={isWrong ? "alert" : undefined}>
            {isWrong ? texts.nameWrong : texts.nameRule}
          </span>
        </label>
        <div class="actions">
          <Button type="submit" look="primary" disabled={name === "" || isWrong}>
            {texts.next}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
