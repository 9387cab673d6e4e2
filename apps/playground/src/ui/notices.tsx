/** Short messages at the edge of the page: what went wrong, or was done out of sight. */
import { AgentPaasError } from "@agent-paas/client";
import { signal } from "@preact/signals";
import { X } from "lucide";
import { noteRefusal } from "../state/connection.ts";
import { IconButton } from "./button.tsx";
import { texts } from "./texts.ts";

type Notice = { readonly id: number; readonly text: string; readonly isError: boolean };

/** How long a notice is shown, ms. */
const SHOWN_MS = 8_000;
const MOST = 4;

const notices = signal<readonly Notice[]>([]);
let lastId = 0;

export function notify(text: string, isError = false): void {
  lastId += 1;
  const id = lastId;
  notices.value = [...notices.value.slice(1 - MOST), { id, text, isError }];
  setTimeout(() => dismiss(id), SHOWN_MS);
}

/** Tells the person that something failed, unless it was given up on purpose. */
export function notifyError(error: unknown): void {
  if (error instanceof DOMException && error.name === "AbortError") return;
  noteRefusal(error);
  notify(describeError(error), true);
}

export function describeError(error: unknown): string {
  if (error instanceof AgentPaasError) return `${error.message} (${error.code})`;
  return error instanceof Error ? error.message : String(error);
}

const dismiss = (id: number): void => {
  notices.value = notices.value.filter((notice) => notice.id !== id);
};

export const Notices = () => (
  <div class="notices" role="status">
    {notices.value.map(({ id, text, isError }) => (
      <div key={id} class={isError ? "notice error" : "notice"}>
        <span>{text}</span>
        <IconButton icon={X} label={texts.close} onClick={() => dismiss(id)} />
      </div>
    ))}
  </div>
);
