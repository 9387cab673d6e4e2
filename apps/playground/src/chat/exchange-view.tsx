/** A question and its answer. Only what changes is drawn again: a conversation may have thousands. */
import { memo } from "preact/compat";
import { AnswerView } from "./answer-view.tsx";
import type { Send } from "./conversation.ts";
import type { Exchange } from "./exchanges.ts";
import { QuestionView } from "./question-view.tsx";
import type { Turn } from "./turn.ts";

type Props = {
  readonly exchange: Exchange;
  readonly collection: string | null;
  /** The session has a job already. */
  readonly isBusy: boolean;
  /** The same function as long as the conversation is the same. */
  send(message: Send): void;
  sendAgain(turn: Turn): void;
};

export const ExchangeView = memo(
  ({ exchange, collection, isBusy, send, sendAgain }: Props) => {
    const { question } = exchange;
    const id = question?.id ?? null;
    const canReplace = id !== null && !isBusy;
    return (
      <article class="exchange">
        {question !== null && (
          <QuestionView
            content={question.content}
            edit={canReplace ? (message) => send({ message, replaceFrom: id }) : undefined}
          />
        )}
        <AnswerView
          exchange={exchange}
          collection={collection}
          regenerate={canReplace ? () => send({ replaceFrom: id }) : undefined}
          sendAgain={sendAgain}
        />
      </article>
    );
  },
  (last, next) =>
    last.send === next.send &&
    last.isBusy === next.isBusy &&
    last.collection === next.collection &&
    last.exchange.turn === next.exchange.turn &&
    last.exchange.job?.status === next.exchange.job?.status &&
    last.exchange.question?.id === next.exchange.question?.id &&
    last.exchange.answers.length === next.exchange.answers.length,
);
