/** The answer of an agent: what it did, what it asks, its text as it comes, its sources, and what it took. */
import type { Citation } from "@agent-paas/client";
import { ListChecks, RefreshCw, RotateCw } from "lucide";
import { useMemo, useState } from "preact/hooks";
import { PassageDialog } from "../documents/passage-dialog.tsx";
import { InquiryCard } from "../inbox/inquiry-card.tsx";
import { Markdown } from "../markdown/markdown.tsx";
import { linkTo } from "../state/route.ts";
import { formatDuration, formatNumber } from "../text/format.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Icon } from "../ui/icon.tsx";
import { texts as shared } from "../ui/texts.ts";
import type { Exchange } from "./exchanges.ts";
import { PastThoughts } from "./past-thoughts.tsx";
import { texts } from "./texts.ts";
import { ThoughtList } from "./thought-list.tsx";
import type { Turn } from "./turn.ts";

type Props = {
  readonly exchange: Exchange;
  readonly collection: string | null;
  readonly regenerate: (() => void) | undefined;
  /** For a question that the platform has not accepted. */
  sendAgain(turn: Turn): void;
};

export function AnswerView({ exchange, collection, regenerate, sendAgain }: Props) {
  const { turn, job, jobId } = exchange;
  const [opened, setOpened] = useState<Citation | null>(null);
  const stored = exchange.answers.map(({ content }) => content).join("\n\n");
  const text = turn === null ? stored || (job?.result?.content ?? "") : turn.text.value || stored;
  const status = turn?.status.value ?? job?.status ?? "completed";
  const isEnded = turn?.isEnded ?? (status === "completed" || status === "failed" || status === "cancelled");
  const citations = citationsOf(exchange);
  const problem =
    turn?.problem.value ?? (job?.error == null ? null : { code: job.error.code, text: job.error.message });

  const citation = useMemo(
    () =>
      citations.length === 0
        ? undefined
        : (marker: string) => {
            const source = citations.find((each) => each.marker === marker);
            if (source === undefined) return marker;
            return (
              <button
                type="button"
                class="citation"
                aria-label={texts.source(`${marker} ${source.source}`)}
                title={source.source}
                onClick={() => setOpened(source)}
              >
                {marker.slice(1, -1)}
              </button>
            );
          },
    [citations],
  );

  return (
    <div class="answer" aria-busy={!isEnded}>
      {turn !== null && <ThoughtList thoughts={turn.thoughts.value} isRunning={!isEnded} />}
      {turn === null && jobId !== null && <PastThoughts jobId={jobId} />}
      {!isEnded && text === "" && status !== "waiting" && <Working status={status} />}
      {text !== "" && <Markdown text={text} citation={citation} />}
      {jobId !== null &&
        turn?.inquiries.value.map((inquiry) => (
          <InquiryCard
            key={inquiry.request_id}
            jobId={jobId}
            inquiry={inquiry}
            onDecided={() => turn.decided(inquiry.request_id)}
          />
        ))}
      {status === "cancelled" && <p class="muted small">{texts.cancelled}</p>}
      {problem !== null && (
        <p class="problem" role="alert">
          {problem.text} <code>{problem.code}</code>
        </p>
      )}
      {citations.length > 0 && isEnded && <Sources citations={citations} open={setOpened} />}
      {isEnded && (
        <div class="tools">
          {text !== "" && <CopyButton text={() => text} />}
          {turn !== null && turn.sent !== null && jobId === null && (
            <Button icon={RotateCw} onClick={() => sendAgain(turn)}>
              {shared.retry}
            </Button>
          )}
          {regenerate !== undefined && <IconButton icon={RefreshCw} label={texts.regenerate} onClick={regenerate} />}
          {jobId !== null && (
            <a class="icon-button" href={linkTo("jobs", jobId)} aria-label={texts.jobOf} title={texts.jobOf}>
              <Icon of={ListChecks} />
            </a>
          )}
          <Figures exchange={exchange} />
        </div>
      )}
      {opened !== null && <CitedPassage citation={opened} collection={collection} onClose={() => setOpened(null)} />}
    </div>
  );
}

/** The passage within its document; where that is not known, its beginning. */
function CitedPassage({
  citation,
  collection,
  onClose,
}: {
  readonly citation: Citation;
  readonly collection: string | null;
  onClose(): void;
}) {
  const name = citation.collection ?? collection;
  if (name === null) {
    return (
      <Dialog title={citation.source} onClose={onClose}>
        <p dir="auto">{citation.excerpt}</p>
      </Dialog>
    );
  }
  const { document_id, position } = citation;
  return <PassageDialog collection={name} documentId={document_id} position={position} onClose={onClose} />;
}

function citationsOf({ turn, job, answers }: Exchange): readonly Citation[] {
  if (turn !== null && turn.citations.value.length > 0) return turn.citations.value;
  const stored = answers.findLast(({ metadata }) => Array.isArray(metadata.citations))?.metadata.citations;
  return job?.result?.citations ?? (stored as readonly Citation[] | undefined) ?? [];
}

const Working = ({ status }: { readonly status: string }) => (
  <p class="working" role="status">
    {status === "queued" ? texts.queued : status === "sending" ? texts.sending : texts.running}
  </p>
);

const Sources = ({ citations, open }: { readonly citations: readonly Citation[]; open(citation: Citation): void }) => (
  <ul class="sources" aria-label={texts.sources}>
    {citations.map((citation) => (
      <li key={citation.marker}>
        <button type="button" onClick={() => open(citation)}>
          <span class="citation">{citation.marker.slice(1, -1)}</span>
          <span dir="auto">{[citation.source, citation.heading].filter(Boolean).join(" › ")}</span>
        </button>
      </li>
    ))}
  </ul>
);

/** How long it took, and how many tokens. */
function Figures({ exchange: { turn, job } }: { readonly exchange: Exchange }) {
  const tokens = turn?.usage.value?.output_tokens ?? job?.usage?.output_tokens;
  const durationMs =
    turn?.durationMs.value ??
    (job?.started_at && job.finished_at ? Date.parse(job.finished_at) - Date.parse(job.started_at) : null);
  const [firstTokenMs, endedMs] = [turn?.firstTokenMs.value ?? null, turn?.durationMs.value ?? null];
  const streamedMs = firstTokenMs !== null && endedMs !== null ? endedMs - firstTokenMs : null;
  const figures = [
    durationMs === null ? null : formatDuration(durationMs),
    tokens ? texts.tokens(formatNumber(tokens)) : null,
    tokens && streamedMs !== null && streamedMs > 100
      ? texts.perSecond(formatNumber((tokens * 1_000) / streamedMs))
      : null,
  ].filter((figure) => figure !== null);
  return <span class="small muted number">{figures.join(" · ")}</span>;
}
