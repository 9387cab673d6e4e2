/** Conversations at the side, and the one that is open. The address has its session. */
import { PanelLeft, SquarePen } from "lucide";
import { useEffect, useState } from "preact/hooks";
import { goTo, replaceRoute, route } from "../state/route.ts";
import { IconButton } from "../ui/button.tsx";
import { Conversation } from "./conversation.ts";
import { ConversationView } from "./conversation-view.tsx";
import { SessionList } from "./session-list.tsx";
import { texts } from "./texts.ts";

export function ChatPage() {
  const sessionId = route.value.path[0] ?? null;
  const [conversation, setConversation] = useState(() => open(sessionId));
  const [isListShown, setListShown] = useState(false);

  useEffect(() => {
    if (conversation.sessionId.peek() === sessionId) return;
    conversation.leave();
    setConversation(open(sessionId));
    hideList();
  }, [sessionId, conversation]);
  useEffect(() => () => conversation.leave(), [conversation]);

  const hideList = () => setListShown(false);

  function startNew(): void {
    hideList();
    // The address stays if the platform has not accepted anything yet.
    if (sessionId === null) setConversation(open(null));
    else goTo("chat");
  }

  return (
    <div class={isListShown ? "chat list-shown" : "chat"}>
      <SessionList current={conversation} startNew={startNew} onChosen={hideList} />
      {isListShown && <button type="button" class="veil" aria-label={texts.cancel} onClick={hideList} />}
      <section class="conversation">
        <div class="bar">
          <IconButton
            icon={PanelLeft}
            label={texts.sessions}
            aria-expanded={isListShown}
            onClick={() => setListShown(!isListShown)}
          />
          <strong dir="auto">{conversation.session.value?.title ?? texts.newChat}</strong>
          <IconButton icon={SquarePen} label={texts.newChat} onClick={startNew} />
        </div>
        <ConversationView key={conversation} conversation={conversation} />
      </section>
    </div>
  );
}

const open = (sessionId: string | null): Conversation =>
  new Conversation(sessionId, (begun) => replaceRoute("chat", begun));
