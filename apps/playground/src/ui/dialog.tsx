/** A modal dialog: the browser's own, which keeps the focus inside and closes on Escape. */
import { X } from "lucide";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { IconButton } from "./button.tsx";
import { texts } from "./texts.ts";

type Props = {
  readonly title: string;
  readonly children: ComponentChildren;
  /** Absent: the dialog cannot be closed without an answer. */
  readonly onClose?: (() => void) | undefined;
  readonly wide?: boolean;
};

export function Dialog({ title, children, onClose, wide = false }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={element}
      class={wide ? "dialog wide" : "dialog"}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose?.();
      }}
      // A click beside it is a cancel, too.
      {...{ closedby: onClose ? "any" : "none" }}
    >
      <div class="dialog-body">
        <header>
          <h2 dir="auto">{title}</h2>
          {onClose && <IconButton icon={X} label={texts.close} onClick={onClose} />}
        </header>
        {children}
      </div>
    </dialog>
  );
}
