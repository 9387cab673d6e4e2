/** The messages of a conversation, and the field for the next one. It stays at the end while one is there. */
import { ArrowDown } from "lucide";
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Call } from "../snippets/call.ts";
import { SnippetButton } from "../snippets/snippet-button.tsx";
import { client } from "../state/connection.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { Failure, Loading } from "../ui/states.tsx";
import { useLoad } from "../ui/use-load.ts";
import { AgentChoice, type Choice } from "./agent-choice.tsx";
import { Composer } from "./composer.tsx";
import type { Conversation, Send } from "./conversation.ts";
import { ExchangeView } from "./exchange-view.tsx";
import { texts } from "./texts.ts";
import type { Turn } from "./turn.ts";

/** Within this distance of the end, new text scrolls along, px. */
const AT_END_PX = 48;
/** This far from the beginning, earlier messages are asked for, px. */
const NEAR_START_PX = 600;

export function ConversationView({ conversation }: { readonly conversation: Conversation }) {
  const agents = useLoad((signal) => client.peek().agents.list({ signal }), [client.value], { everyMs: 10_000 });
  const [choice, setChoice] = useState<Choice>({ agentId: null, config: null });
  const session = conversation.session.value;
  const agentId = session?.agent_type ?? choice.agentId ?? agents.value?.[0]?.id ?? null;
  const agent = agents.value?.find(({ id }) => id === agentId) ?? null;
  const exchanges = conversation.isLoaded.value ? conversation.exchanges.value : [];
  // Exchanges are drawn once and keep these.
  const settings = useRef({ agentId, config: choice.config });
  settings.current = { agentId, config: choice.config };
  const send = useCallback(
    (message: Omit<Send, "config">) => {
      const { agentId, config } = settings.current;
      if (agentId !== null) conversation.send(agentId, { ...message, config: config ?? undefined });
    },
    [conversation],
  );
  const sendAgain = useCallback((turn: Turn) => conversation.sendAgain(turn), [conversation]);
  const { error, isLoaded, running } = conversation;

  if (error.value !== null && exchanges.length === 0) {
    return <Failure error={error.value} retry={() => void conversation.reload()} />;
  }
  return (
    <>
      <Scroller conversation={conversation} firstKey={exchanges[0]?.key}>
        {!isLoaded.value && <Loading />}
        {isLoaded.value && exchanges.length === 0 && (
          <div class="welcome">
            <h1>{texts.welcome}</h1>
            {agents.value?.length === 0 && <p class="problem">{texts.noAgents}</p>}
            <ul>
              {texts.examples.map((example) => (
                <li key={example}>
                  <Button onClick={() => send({ message: example })} disabled={agentId === null}>
                    {example}
                  </Button>
                </li>
              ))}
            </ul>
          </div>
        )}
        {exchanges.map((exchange) => (
          <ExchangeView
            key={exchange.turn?.key ?? exchange.key}
            exchange={exchange}
            collection={collectionOf(session?.config ?? choice.config)}
            isBusy={running.value !== null}
            send={send}
            sendAgain={sendAgain}
          />
        ))}
      </Scroller>
      <Composer
        isRunning={running.value !== null}
        canSend={agentId !== null}
        send={(message) => send({ message })}
        stop={() => conversation.stop()}
      >
        <AgentChoice
          agents={agents.value ?? []}
          agent={agent}
          isFixed={session !== null || conversation.sessionId.value !== null}
          config={choice.config ?? session?.config ?? {}}
          onChoice={(change) => setChoice({ ...choice, ...change })}
        />
        {agentId !== null && <SnippetButton request={snippetOf(conversation, agentId, choice)} />}
      </Composer>
    </>
  );
}

const snippetOf = (conversation: Conversation, agent_type: string, { config }: Choice): Call => ({
  kind: "chat",
  body: {
    agent_type,
    ...(conversation.sessionId.value === null ? {} : { session_id: conversation.sessionId.value }),
    message: texts.examples[0] ?? "",
    ...(config === null ? {} : { config }),
  },
});

const collectionOf = (config: Readonly<Record<string, unknown>> | null): string | null =>
  typeof config?.collection === "string" ? config.collection : null;

function Scroller({
  conversation,
  firstKey,
  children,
}: {
  readonly conversation: Conversation;
  /** Of the exchange that stands first; another one once earlier ones have come. */
  readonly firstKey: string | undefined;
  readonly children: preact.ComponentChildren;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const lastTop = useRef(0);
  const lastHeight = useRef(0);
  const [isAway, setAway] = useState(false);
  const toEnd = () => frame.current?.scrollTo({ top: frame.current.scrollHeight });

  useLayoutEffect(() => {
    if (content.current === null) return;
    const observer = new ResizeObserver(() => {
      lastHeight.current = frame.current?.scrollHeight ?? 0;
      if (isAtEnd.current) toEnd();
    });
    observer.observe(content.current);
    return () => observer.disconnect();
  }, []);
  // Browsers keep what is read in its place when something comes before it, but not at the very beginning.
  useLayoutEffect(() => {
    const { current } = frame;
    if (current?.scrollTop === 0 && !isAtEnd.current) current.scrollTop = current.scrollHeight - lastHeight.current;
  }, [firstKey]);
  // A question of one's own is always shown; what is asked elsewhere leaves the reader where they are.
  const lastSent = conversation.lastSent.value;
  useEffect(() => {
    if (lastSent === null) return;
    isAtEnd.current = true;
    toEnd();
  }, [lastSent]);

  function onScroll(): void {
    const { scrollTop = 0, scrollHeight = 0, clientHeight = 0 } = frame.current ?? {};
    // Text that grows moves the end away from where the person has stayed.
    const wentUp = scrollTop < lastTop.current;
    lastTop.current = scrollTop;
    const isNear = scrollHeight - scrollTop - clientHeight < AT_END_PX;
    isAtEnd.current = isNear || (isAtEnd.current && !wentUp);
    setAway(!isAtEnd.current);
    if (scrollTop < NEAR_START_PX) void conversation.loadEarlier();
  }

  return (
    <div class="scroller">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <div class="frame" ref={frame} onScroll={onScroll} tabIndex={0}>
        <div class="content" ref={content} role="log" aria-live="off">
          {conversation.hasEarlier.value && (
            <Button look="plain" class="earlier" onClick={() => conversation.loadEarlier()}>
              {texts.earlier}
            </Button>
          )}
          {children}
        </div>
      </div>
      {isAway && (
        <IconButton
          class="to-end"
          icon={ArrowDown}
          label={texts.toEnd}
          onClick={() => {
            isAtEnd.current = true;
            toEnd();
          }}
        />
      )}
    </div>
  );
}
