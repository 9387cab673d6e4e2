/** The conversations, newest first: search, rename, delete. */
import type { SessionPage } from "@agent-paas/client";
import { Ellipsis, Pencil, SquarePen, Trash2 } from "lucide";
import { useEffect, useState } from "preact/hooks";
import { client } from "../state/connection.ts";
import { goTo, linkTo } from "../state/route.ts";
import { formatAge } from "../text/format.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { confirm } from "../ui/confirm.tsx";
import { notify, notifyError } from "../ui/notices.tsx";
import { Failure, Loading } from "../ui/states.tsx";
import { texts as shared } from "../ui/texts.ts";
import { usePages } from "../ui/use-pages.ts";
import type { Conversation } from "./conversation.ts";
import { RenameDialog } from "./rename-dialog.tsx";
import { texts } from "./texts.ts";

const PAGE = 40;
const EVERY_MS = 5_000;
/** What a person types is searched for when they pause, ms. */
const PAUSE_MS = 250;

type Props = {
  readonly current: Conversation;
  startNew(): void;
  /** A conversation was chosen, which may be the one that is open. */
  onChosen(): void;
};

export function SessionList({ current, startNew, onChosen }: Props) {
  const [search, setSearch] = useState("");
  const wanted = usePaused(search.trim());
  const isRunning = current.running.value !== null;
  const pages = usePages(
    async (before, signal) => {
      const range = { limit: PAGE, ...(before === undefined ? {} : { before }) };
      const page = await client
        .peek()
        .sessions.list({ ...range, ...(wanted === "" ? {} : { search: wanted }), signal });
      return { items: page.sessions, next: page.next };
    },
    [wanted, client.value],
  );
  // A conversation that begins or ends its turn moves to the top; other tabs and clients begin some as well.
  useEffect(() => {
    pages.reload();
    const timer = setInterval(() => document.hidden || pages.reload(), EVERY_MS);
    return () => clearInterval(timer);
  }, [isRunning, current.sessionId.value, wanted]);

  return (
    <aside class="sessions" aria-label={texts.sessions}>
      <Button icon={SquarePen} onClick={startNew}>
        {texts.newChat}
      </Button>
      <input
        type="search"
        aria-label={texts.search}
        placeholder={texts.search}
        value={search}
        onInput={(event) => setSearch(event.currentTarget.value)}
      />
      {pages.error !== null && <Failure error={pages.error} retry={pages.reload} />}
      {pages.items === undefined ? (
        pages.error === null && <Loading />
      ) : (
        <ul>
          {pages.items.length === 0 && !pages.hasMore && (
            <li class="muted small">{wanted === "" ? texts.noSessions : texts.nothingFound}</li>
          )}
          {pages.items.map((session) => (
            <SessionRow
              key={session.id}
              session={session}
              isCurrent={session.id === current.sessionId.value}
              onChosen={onChosen}
              onRenamed={() => {
                pages.reload();
                if (session.id === current.sessionId.peek()) void current.reload();
              }}
              onDeleted={() => pages.remove(session.id)}
            />
          ))}
          {pages.hasMore && (
            <li>
              <Button look="plain" disabled={pages.isLoading} onClick={pages.more}>
                {wanted === "" ? shared.more : texts.searchOn}
              </Button>
            </li>
          )}
        </ul>
      )}
    </aside>
  );
}

function SessionRow({
  session,
  isCurrent,
  onChosen,
  onRenamed,
  onDeleted,
}: {
  readonly session: SessionPage["sessions"][number];
  readonly isCurrent: boolean;
  onChosen(): void;
  onRenamed(): void;
  onDeleted(): void;
}) {
  const [isOpen, setOpen] = useState(false);
  const [isRenaming, setRenaming] = useState(false);
  const title = session.title ?? texts.untitled;

  async function remove(): Promise<void> {
    if (!(await confirm({ title: texts.deleteTitle, text: texts.deleteText, action: texts.delete }))) return;
    try {
      if (!(await client.peek().sessions.delete(session.id))) notify(texts.deleting);
      if (isCurrent) goTo("chat");
      onDeleted();
    } catch (error) {
      notifyError(error);
    }
  }

  return (
    <li class={isCurrent ? "current" : ""}>
      <a href={linkTo("chat", session.id)} aria-current={isCurrent ? "true" : undefined} onClick={onChosen}>
        <span class="title" dir="auto">
          {title}
        </span>
        <span class="small muted" dir="auto">
          {session.match ?? `${session.agent_type} · ${formatAge(session.updated_at)}`}
        </span>
      </a>
      <IconButton
        icon={Ellipsis}
        label={`${texts.rename}, ${texts.delete}: ${title}`}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
      />
      {isOpen && (
        <div class="row-actions">
          <Button look="plain" icon={Pencil} onClick={() => setRenaming(true)}>
            {texts.rename}
          </Button>
          <Button look="plain" icon={Trash2} onClick={remove}>
            {texts.delete}
          </Button>
        </div>
      )}
      {isRenaming && (
        <RenameDialog
          session={session}
          onClose={() => {
            setRenaming(false);
            setOpen(false);
            onRenamed();
          }}
        />
      )}
    </li>
  );
}

function usePaused(value: string): string {
  const [paused, setPaused] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setPaused(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return paused;
}
