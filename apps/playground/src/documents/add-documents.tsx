/** Documents by drag and drop, by choosing files, or by pasting a text. */
import { ClipboardPaste, FolderOpen, Upload } from "lucide";
import { useRef, useState } from "preact/hooks";
import { SnippetButton } from "../snippets/snippet-button.tsx";
import { Button } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { notify } from "../ui/notices.tsx";
import { PasteDialog } from "./paste-dialog.tsx";
import { texts } from "./texts.ts";
import { addUploads } from "./uploads.ts";

export function AddDocuments({ collection }: { readonly collection: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [isOver, setOver] = useState(false);
  const [isPasting, setPasting] = useState(false);
  const add = (files: readonly File[]) =>
    addUploads(
      collection,
      files.map((content) => ({ source: content.name, content })),
    );
  return (
    <section
      class={isOver ? "card add over" : "card add"}
      aria-label={texts.add}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer !== null) add(filesOf(event.dataTransfer));
      }}
    >
      <Icon of={Upload} size={24} />
      <div class="words">
        <strong>{texts.drop}</strong>
        <span class="hint">{texts.dropHint}</span>
      </div>
      <div class="actions">
        <Button icon={FolderOpen} onClick={() => input.current?.click()}>
          {texts.choose}
        </Button>
        <Button icon={ClipboardPaste} onClick={() => setPasting(true)}>
          {texts.paste}
        </Button>
        <SnippetButton request={{ kind: "upload", collection, source: "handbook.md" }} />
      </div>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        onChange={({ currentTarget }) => {
          add([...(currentTarget.files ?? [])]);
          // The same file can be chosen again.
          currentTarget.value = "";
        }}
      />
      {isPasting && <PasteDialog collection={collection} onClose={() => setPasting(false)} />}
    </section>
  );
}

/** A folder comes as a file that cannot be read. */
function filesOf({ items }: DataTransfer): File[] {
  const given = [...items].filter(({ kind }) => kind === "file");
  const files = given.filter((item) => item.webkitGetAsEntry()?.isDirectory !== true);
  if (files.length < given.length) notify(texts.noFolders, true);
  return files.flatMap((item) => item.getAsFile() ?? []);
}
