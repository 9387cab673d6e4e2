/** Tries a query: the passages that an agent would be given, with their scores. */
import type { FoundPassages, Passage } from "@agent-paas/client";
import { Search } from "lucide";
import { useEffect, useRef, useState } from "preact/hooks";
import { SnippetButton } from "../snippets/snippet-button.tsx";
import { client } from "../state/connection.ts";
import { formatDuration, formatNumber } from "../text/format.ts";
import { Button } from "../ui/button.tsx";
import { notifyError } from "../ui/notices.tsx";
import { Loading } from "../ui/states.tsx";
import { PassageDialog } from "./passage-dialog.tsx";
import { texts } from "./texts.ts";

const MOST_PASSAGES = 50;

type Found = { readonly passages: FoundPassages["passages"]; readonly tookMs: number };

export function QueryPanel({ collection }: { readonly collection: string }) {
  const [query, setQuery] = useState("");
  const [most, setMost] = useState(5);
  const [least, setLeast] = useState(0);
  const [isAsking, setAsking] = useState(false);
  const [found, setFound] = useState<Found | null>(null);
  const [opened, setOpened] = useState<Passage | null>(null);
  const asked = useRef(new AbortController());
  useEffect(() => () => asked.current.abort(), []);
  const body = { query: query.trim(), top_k: most, ...(least > 0 ? { min_score: least } : {}) };

  async function ask(): Promise<void> {
    asked.current.abort();
    asked.current = new AbortController();
    const { signal } = asked.current;
    setAsking(true);
    const startedAt = performance.now();
    try {
      const { passages } = await client.value.knowledge.query(collection, body, { signal });
      setFound({ passages, tookMs: performance.now() - startedAt });
    } catch (error) {
      if (signal.aborted) return;
      notifyError(error);
    }
    setAsking(false);
  }

  return (
    <section class="card query" aria-label={texts.query}>
      <header>
        <h2>{texts.query}</h2>
        <span class="muted" />
        {body.query !== "" && <SnippetButton request={{ kind: "query", collection, body }} />}
      </header>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void ask();
        }}
      >
        <input
          type="search"
          required
          dir="auto"
          aria-label={texts.query}
          placeholder={texts.queryHint}
          value={query}
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
        <NumberField label={texts.most} value={most} min={1} max={MOST_PASSAGES} step={1} onChange={setMost} />
        <NumberField label={texts.least} value={least} min={0} max={1} step={0.05} onChange={setLeast} />
        <Button type="submit" icon={Search} look="primary" disabled={body.query === "" || isAsking}>
          {texts.search}
        </Button>
      </form>
      <div aria-live="polite" aria-busy={isAsking}>
        {isAsking && found === null && <Loading />}
        {found !== null && (
          <>
            <p class="muted small number">
              {found.passages.length === 0
                ? texts.nothingFound
                : texts.found(found.passages.length, formatDuration(found.tookMs))}
            </p>
            <ol class="passages">
              {found.passages.map((passage) => (
                <PassageRow
                  key={`${passage.document_id} ${passage.position}`}
                  passage={passage}
                  open={() => setOpened(passage)}
                />
              ))}
            </ol>
          </>
        )}
      </div>
      {opened !== null && (
        <PassageDialog
          collection={collection}
          documentId={opened.document_id}
          position={opened.position}
          onClose={() => setOpened(null)}
        />
      )}
    </section>
  );
}

type NumberProps = {
  readonly label: string;
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly onChange: (value: number) => void;
};

const NumberField = ({ label, value, onChange, ...range }: NumberProps) => (
  <label class="number-field">
    <span class="small muted">{label}</span>
    <input
      type="number"
      {...range}
      value={value}
      onInput={({ currentTarget }) => {
        if (currentTarget.checkValidity() && currentTarget.value !== "") onChange(currentTarget.valueAsNumber);
      }}
    />
  </label>
);

const PassageRow = ({ passage, open }: { readonly passage: Passage; readonly open: () => void }) => (
  <li>
    <div class="score">
      <span class="visually-hidden">{texts.score}</span>
      <span class="number">{formatNumber(passage.score, 3)}</span>
      <span class="bar" aria-hidden="true">
        <span style={{ inlineSize: `${Math.min(1, Math.max(0, passage.score)) * 100}%` }} />
      </span>
    </div>
    <div class="passage">
      <p class="place small">
        <strong>
          <bdi>{passage.source}</bdi>
        </strong>
        {passage.heading !== "" && (
          <span class="muted">
            {" › "}
            <bdi>{passage.heading}</bdi>
          </span>
        )}
        <span class="muted number"> · {texts.place(passage.position + 1)}</span>
      </p>
      <p class="content" dir="auto">
        {passage.content.replace(/\n{2,}/g, "\n")}
      </p>
      <button type="button" class="link small" onClick={open}>
        {texts.openPassage}
      </button>
    </div>
  </li>
);
