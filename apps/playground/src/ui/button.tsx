import type { ButtonHTMLAttributes } from "preact";
import { Icon } from "./icon.tsx";

type Props = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "icon"> & {
  readonly icon?: unknown;
  /** `plain` has no frame, `primary` is the one thing to do, `danger` cannot be undone. */
  readonly look?: "normal" | "plain" | "primary" | "danger";
};

export const Button = ({ icon, look = "normal", children, class: more, ...rest }: Props) => (
  <button type="button" {...rest} class={["button", look, more].filter(Boolean).join(" ")}>
    {icon !== undefined && <Icon of={icon} size={16} />}
    {children}
  </button>
);

/** A button that shows only an icon; `label` is its name and its tooltip. */
export const IconButton = ({ icon, label, class: more, ...rest }: Omit<Props, "look"> & { readonly label: string }) => (
  <button
    type="button"
    {...rest}
    class={["icon-button", more].filter(Boolean).join(" ")}
    aria-label={label}
    title={label}
  >
    <Icon of={icon} />
  </button>
);
