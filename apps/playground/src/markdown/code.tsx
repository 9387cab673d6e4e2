/** A block of code, coloured while it does not grow. The colours come with a module of their own, when they are needed. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { CopyButton } from "../ui/copy-button.tsx";

/** Larger ones stay plain. */
const MAX_COLOURED = 30_000;

/** A text that has been the same for so long is coloured, ms. */
const CALM_MS = 300;

type Colour = (text: string, language: string) => preact.ComponentChildren;

let colour: Colour | undefined;

export function Code({ text, language }: { readonly text: string; readonly language: string }) {
  const [isLoaded, setLoaded] = useState(colour !== undefined);
  const isCalm = useCalm(text);
  const isColoured = isCalm && language !== "" && text.length <= MAX_COLOURED;
  useEffect(() => {
    if (!isColoured || colour !== undefined) return;
    import("./colour.tsx").then(
      (module) => {
        colour = module.colour;
        setLoaded(true);
      },
      // It stays plain.
      () => {},
    );
  }, [isColoured]);
  const shown = useMemo(
    () => (isColoured && colour !== undefined ? colour(text, language) : text),
    [isColoured, isLoaded, text, language],
  );
  return (
    <div class="code-block">
      <header>
        <span>{language}</span>
        <CopyButton text={() => text} />
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <pre dir="ltr" tabIndex={0}>
        <code>{shown}</code>
      </pre>
    </div>
  );
}

/** Whether the text has not changed for a while. One that appears is taken to be whole. */
function useCalm(text: string): boolean {
  const [calm, setCalm] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setCalm(text), CALM_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return calm === text;
}
