/** An icon of the Lucide set, drawn in the colour of the text. */
import { createElement } from "preact";

export type IconNode = readonly (readonly [tag: string, attributes: Readonly<Record<string, unknown>>])[];

export function Icon({ of, size = 18 }: { readonly of: unknown; readonly size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {(of as IconNode).map(([tag, attributes], index) => createElement(tag, { ...attributes, key: index }))}
    </svg>
  );
}
