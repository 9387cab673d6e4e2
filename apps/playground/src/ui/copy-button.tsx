import { Check, Copy } from "lucide";
import { useEffect, useState } from "preact/hooks";
import { IconButton } from "./button.tsx";
import { notify } from "./notices.tsx";
import { texts } from "./texts.ts";

/** How long the tick is shown, ms. */
const TICK_MS = 1_500;

export function CopyButton({ text, label = texts.copy }: { readonly text: () => string; readonly label?: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), TICK_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  return (
    <IconButton
      icon={isCopied ? Check : Copy}
      label={isCopied ? texts.copied : label}
      onClick={() =>
        copyText(text()).then(
          () => setCopied(true),
          () => notify(texts.notCopied, true),
        )
      }
    />
  );
}

/** Pages on plain HTTP of another machine have no clipboard of their own. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  // Beside a modal dialog nothing can be selected.
  const [dialog] = [...document.querySelectorAll("dialog:modal")].reverse();
  (dialog ?? document.body).append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus();
  if (!isCopied) throw new Error("The browser copied nothing");
}
