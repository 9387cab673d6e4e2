/** What the person said: text, images and files. It can be edited and sent again, which replaces all behind it. */
import type { MessagePart } from "@agent-paas/client";
import { Pencil } from "lucide";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Button, IconButton } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { textOf } from "./exchanges.ts";
import { texts } from "./texts.ts";

type Content = string | readonly MessagePart[];

type Props = {
  readonly content: Content;
  readonly edit: ((content: Content) => void) | undefined;
};

export function QuestionView({ content, edit }: Props) {
  const [draft, setDraft] = useState<string | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const tools = useRef<HTMLDivElement>(null);
  const isEditing = draft !== null && edit !== undefined;
  const wasEditing = useRef(false);
  useLayoutEffect(() => {
    if (isEditing) field.current?.focus();
    else if (wasEditing.current) tools.current?.querySelector<HTMLElement>("button:last-child")?.focus();
    wasEditing.current = isEditing;
  }, [isEditing]);
  if (draft !== null && edit !== undefined) {
    const submit = () => {
      edit(withText(content, draft));
      setDraft(null);
    };
    return (
      <form
        class="question editing"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <textarea
          ref={field}
          dir="auto"
          aria-label={texts.message}
          value={draft}
          onInput={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Escape") setDraft(null);
          }}
        />
        <div class="actions">
          <Button onClick={() => setDraft(null)}>{texts.cancel}</Button>
          <Button type="submit" look="primary" disabled={draft.trim() === ""}>
            {texts.sendEdited}
          </Button>
        </div>
      </form>
    );
  }
  return (
    <div class="question">
      <div class="bubble" dir="auto">
        <span class="visually-hidden">{texts.you}: </span>
        {typeof content === "string" ? content : content.map((part, index) => <Part key={index} part={part} />)}
      </div>
      <div class="tools" ref={tools}>
        <CopyButton text={() => textOf(content)} />
        {edit !== undefined && (
          <IconButton icon={Pencil} label={texts.edit} onClick={() => setDraft(textOf(content))} />
        )}
      </div>
    </div>
  );
}

function Part({ part }: { readonly part: MessagePart }) {
  if (part.type === "text") return <span>{part.text}</span>;
  if (part.type === "file") return <em>{texts.file(part.file.filename ?? part.file.file_id ?? "")}</em>;
  const { url } = part.image_url;
  // Another host would learn who reads.
  if (url.startsWith("data:image/")) return <img src={url} alt={texts.image} />;
  return (
    <a href={url} target="_blank" rel="noopener noreferrer nofollow">
      {texts.image}
    </a>
  );
}

function withText(content: Content, text: string): Content {
  if (typeof content === "string") return text;
  return [{ type: "text", text }, ...content.filter(({ type }) => type !== "text")];
}
