/** A text that becomes a document. */
import { useState } from "preact/hooks";
import { SnippetButton } from "../snippets/snippet-button.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { texts } from "./texts.ts";
import { addUploads } from "./uploads.ts";

/** Of a document's name. */
const MOST_CHARACTERS = 300;

type Props = { readonly collection: string; readonly onClose: () => void };

export function PasteDialog({ collection, onClose }: Props) {
  const [text, setText] = useState("");
  const [source, setSource] = useState<string>(texts.pastedName);
  const isWhole = text.trim() !== "" && source.trim() !== "";
  return (
    <Dialog title={texts.pasteTitle} onClose={onClose} wide>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          addUploads(collection, [{ source: source.trim(), content: new Blob([text], { type: "text/plain" }) }]);
          onClose();
        }}
      >
        <label class="field">
          <span class="name">{texts.text}</span>
          <textarea
            rows={12}
            required
            dir="auto"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span class="name">{texts.source}</span>
          <input
            required
            dir="auto"
            maxLength={MOST_CHARACTERS}
            autocomplete="off"
            value={source}
            onInput={(event) => setSource(event.currentTarget.value)}
          />
          <span class="hint">{texts.sourceHint}</span>
        </label>
        <div class="actions">
          <SnippetButton request={{ kind: "upload", collection, source: source.trim(), text }} />
          <Button type="submit" look="primary" disabled={!isWhole}>
            {texts.store}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
