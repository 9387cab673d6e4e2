/** A formula as MathML, which browsers draw themselves; its TeX if it is wrong. */
import { useEffect, useRef } from "preact/hooks";

/** What the macros of one formula may do at most. */
const LIMITS = { maxExpand: 200, maxSize: [40, 400] as [number, number] };

export function Formula({ tex, isBlock }: { readonly tex: string; readonly isBlock: boolean }) {
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    let isLeft = false;
    void import("temml").then(({ default: temml }) => {
      if (isLeft || element.current === null) return;
      const drawn = document.createElement("span");
      try {
        temml.render(tex, drawn, { displayMode: isBlock, throwOnError: true, trust: false, ...LIMITS });
        element.current.replaceChildren(drawn);
      } catch {
        element.current.textContent = tex;
      }
    });
    return () => {
      isLeft = true;
    };
  }, [tex, isBlock]);
  const Tag = isBlock ? "div" : "span";
  return <Tag ref={element as never} class={isBlock ? "formula block" : "formula"} dir="ltr" />;
}
