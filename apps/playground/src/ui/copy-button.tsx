import { Check, Copy } from "lucide";
import { useEffect, useState } from "preact/hooks";
import { IconButton } from "./button.tsx";
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
      onClick={async () => {
        await copyText(text());
        setCopied(true);
      }}
    />
  );
}

/** Pages on plain HTTP of another machine have no clipboard of their own. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
