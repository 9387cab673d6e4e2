/** What came of a job, or has come so far: its error, its text, its data; and what was attached to it. */
import type { Job } from "@agent-paas/client";
import { Markdown } from "../markdown/markdown.tsx";
import { CopyButton } from "../ui/copy-button.tsx";
import { texts } from "./texts.ts";

export function Outcome({ job: { error, result, status, progress, metadata } }: { readonly job: Job }) {
  return (
    <>
      {error !== null && (
        <section class="card part failed" aria-label={texts.error}>
          <h2>{texts.error}</h2>
          <p dir="auto">
            {error.message} <code>{error.code}</code>
          </p>
        </section>
      )}
      {result !== null && (
        <section class="card part" aria-label={texts.result}>
          <header>
            <h2>{status === "completed" ? texts.result : texts.partial}</h2>
            {result.content !== "" && <CopyButton text={() => result.content} label={texts.copyResult} />}
          </header>
          {result.content === "" ? <span class="muted">{texts.noText}</span> : <Markdown text={result.content} />}
        </section>
      )}
      <Json name={texts.data} value={result?.data} />
      <Json name={texts.progress} value={progress ?? undefined} />
      <Json name={texts.metadata} value={Object.keys(metadata).length === 0 ? undefined : metadata} />
    </>
  );
}

/** More is to be copied, not to be looked at. */
const MAX_CHARS = 100_000;

function Json({ name, value }: { readonly name: string; readonly value: unknown }) {
  if (value === undefined) return null;
  const written = JSON.stringify(value, null, 2);
  const shown = written.length > MAX_CHARS ? `${written.slice(0, MAX_CHARS)}…` : written;
  return (
    <section class="card part" aria-label={name}>
      <header>
        <h2>{name}</h2>
        <CopyButton text={() => written} />
      </header>
      <textarea class="code grows" readOnly spellcheck={false} aria-label={name} value={shown} />
    </section>
  );
}
