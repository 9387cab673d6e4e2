/** As the `ref` of what a step brings: the focus goes there, for those who work by keyboard. */
export const takeFocus = (element: HTMLElement | null): void => element?.focus();
