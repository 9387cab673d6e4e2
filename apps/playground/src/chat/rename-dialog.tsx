import type { Session } from "@agent-paas/client";
import { useState } from "preact/hooks";
import { client } from "../state/connection.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { notifyError } from "../ui/notices.tsx";
import { texts } from "./texts.ts";

const MAX_TITLE = 200;

export function RenameDialog({ session, onClose }: { readonly session: Session; onClose(): void }) {
  const [title, setTitle] = useState(session.title ?? "");

  async function save(event: Event): Promise<void> {
    event.preventDefault();
    try {
      await client.peek().sessions.rename(session.id, title.trim());
    } catch (error) {
      notifyError(error);
    }
    onClose();
  }

  return (
    <Dialog title={texts.rename} onClose={onClose}>
      <form class="stack" onSubmit={save}>
        <label class="field">
          <span class="name">{texts.title}</span>
          <input
            type="text"
            dir="auto"
            required
            maxLength={MAX_TITLE}
            value={title}
            onInput={(event) => setTitle(event.currentTarget.value)}
          />
        </label>
        <div class="actions">
          <Button onClick={onClose}>{texts.cancel}</Button>
          <Button type="submit" look="primary" disabled={title.trim() === ""}>
            {texts.rename}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
