/** A button that shows a request as code to copy. */
import { Code } from "lucide";
import { useState } from "preact/hooks";
import { IconButton } from "../ui/button.tsx";
import type { Call } from "./call.ts";
import { SnippetDialog } from "./snippet-dialog.tsx";
import { texts } from "./texts.ts";

export function SnippetButton({ request }: { readonly request: Call }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <IconButton icon={Code} label={texts.open} onClick={() => setOpen(true)} />
      {isOpen && <SnippetDialog request={request} onClose={() => setOpen(false)} />}
    </>
  );
}
