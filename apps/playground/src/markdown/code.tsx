/** A block of code, coloured once it is complete. The colours come with a module of their own, when they are needed. */
import { useEffect, useState } from "preact/hooks";
import { CopyButton } from "../ui/copy-button.tsx";

/** Larger ones stay plain. */
const MAX_COLOURED = 30_000;

type Colour = (text: string, language: string) => preact.ComponentChildren;

let colour: Colour | undefined;

export function Code({ text, language }: { readonly text: string; readonly language: string }) {
  const [, setLoaded] = useState(colour !== undefined);
  const isColoured = language !== "" && text.length <= MAX_COLOURED;
  useEffect(() => {
    if (!isColoured || colour !== undefined) return;
    void import("./colour.tsx").then((module) => {
      colour = module.colour;
      setLoaded(true);
    });
  }, [isColoured]);
  return (
    <div class="code-block">
      <header>
        <span>{language}</span>
        <CopyButton text={() => text} />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <pre dir="ltr" tabIndex={0}>
        <code>{isColoured && colour !== undefined ? colour(text, language) : text}</code>
      </pre>
    </div>
  );
}
