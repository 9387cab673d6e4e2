/** A formula as MathML, which browsers draw themselves; its TeX until then, and if it cannot be drawn. */
import { useLayoutEffect, useRef } from "preact/hooks";

/** What the macros of one formula may do at most. */
const LIMITS = { maxExpand: 200, maxSize: [40, 400] as [number, number] };

/** Comes with a module of its own, when the first formula does. */
let temml: typeof import("temml").default | undefined;

export function Formula({ tex, isBlock }: { readonly tex: string; readonly isBlock: boolean }) {
  const element = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const { current } = element;
    if (current === null) return;
    let isLeft = false;
    draw(current, tex, isBlock);
    if (temml === undefined) {
      import("temml").then(
        (module) => {
          temml = module.default;
          if (!isLeft) draw(current, tex, isBlock);
        },
        // It stays TeX.
        () => {},
      );
    }
    return () => {
      isLeft = true;
    };
  }, [tex, isBlock]);
  const Tag = isBlock ? "div" : "span";
  return <Tag ref={element as never} class={isBlock ? "formula block" : "formula"} dir="ltr" />;
}

function draw(element: HTMLElement, tex: string, displayMode: boolean): void {
  element.textContent = tex;
  if (temml === undefined) return;
  const drawn = document.createElement("span");
  try {
    temml.render(tex, drawn, { displayMode, throwOnError: true, trust: false, ...LIMITS });
    element.replaceChildren(drawn);
  } catch {
    // It is no formula.
  }
}
