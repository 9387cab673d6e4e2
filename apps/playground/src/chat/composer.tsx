/** The field for the next message. Enter sends, Shift+Enter breaks the line; an input method's Enter does neither. */
import type { MessagePart } from "@agent-paas/client";
import { ArrowUp, ImagePlus, Square, X } from "lucide";
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { IconButton } from "../ui/button.tsx";
import { notify } from "../ui/notices.tsx";
import { texts } from "./texts.ts";

/** Of all images of a message, bytes. The platform's own limit is larger (`MAX_PARTS_BYTES`). */
const MAX_IMAGE_BYTES = 3 * 1_024 ** 2;

type Props = {
  readonly isRunning: boolean;
  readonly canSend: boolean;
  send(message: string | readonly MessagePart[]): void;
  stop(): void;
  readonly children: ComponentChildren;
};

type Picture = { readonly name: string; readonly url: string };

export function Composer({ isRunning, canSend, send, stop, children }: Props) {
  const [text, setText] = useState("");
  const [pictures, setPictures] = useState<readonly Picture[]>([]);
  const field = useRef<HTMLTextAreaElement>(null);
  const file = useRef<HTMLInputElement>(null);
  const isEmpty = text.trim() === "" && pictures.length === 0;

  function submit(): void {
    if (isEmpty || !canSend) return;
    const images = pictures.map(({ url }): MessagePart => ({ type: "image_url", image_url: { url } }));
    send(images.length === 0 ? text : [...(text.trim() === "" ? [] : [{ type: "text" as const, text }]), ...images]);
    setText("");
    setPictures([]);
    field.current?.focus();
  }

  async function add(files: readonly File[]): Promise<void> {
    const images = files.filter(({ type }) => type.startsWith("image/"));
    const added = await Promise.all(images.map(async (image) => ({ name: image.name, url: await dataUrl(image) })));
    const all = [...pictures, ...added];
    if (all.reduce((bytes, { url }) => bytes + url.length * 0.75, 0) > MAX_IMAGE_BYTES)
      notify(texts.imageTooLarge, true);
    else setPictures(all);
  }

  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        void add([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      {pictures.length > 0 && (
        <ul class="pictures">
          {pictures.map(({ name, url }, index) => (
            <li key={url}>
              <img src={url} alt={name} />
              <IconButton
                icon={X}
                label={`${texts.removeImage} ${name}`}
                onClick={() => setPictures(pictures.filter((_, at) => at !== index))}
              />
            </li>
          ))}
        </ul>
      )}
      <textarea
        ref={field}
        dir="auto"
        rows={1}
        aria-label={texts.message}
        placeholder={texts.placeholder}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || isOfInputMethod(event)) return;
          event.preventDefault();
          submit();
        }}
        onPaste={(event) => {
          const files = [...(event.clipboardData?.files ?? [])];
          if (files.length === 0) return;
          event.preventDefault();
          void add(files);
        }}
      />
      <div class="row">
        {children}
        <span class="space" />
        <input
          ref={file}
          type="file"
          accept="image/png,image/jpeg,image/gif,image/webp"
          multiple
          hidden
          aria-label={texts.attach}
          onChange={(event) => {
            void add([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }}
        />
        <IconButton icon={ImagePlus} label={texts.attach} onClick={() => file.current?.click()} />
        {isRunning && <IconButton icon={Square} label={texts.stop} onClick={stop} />}
        {(!isRunning || !isEmpty) && (
          <IconButton type="submit" class="primary" icon={ArrowUp} label={texts.send} disabled={isEmpty || !canSend} />
        )}
      </div>
    </form>
  );
}

/** Safari sends the Enter that takes an input method's word after the composition; only the old code tells. */
const isOfInputMethod = ({ isComposing, keyCode }: KeyboardEvent): boolean => isComposing || keyCode === 229;

function dataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
