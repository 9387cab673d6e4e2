/** What is on its way to a collection, and what became of it. */
import { X } from "lucide";
import { formatBytes } from "../text/format.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { reasonOf } from "./reasons.ts";
import { texts } from "./texts.ts";
import { cancelUpload, clearEnded, hasEnded, type Upload, type UploadState, uploads } from "./uploads.ts";

/** Shown at once; what goes on and what was refused comes first. */
const MOST = 50;

const ORDER: Readonly<Record<UploadState["phase"], number>> = {
  sending: 0,
  storing: 0,
  refused: 1,
  waiting: 2,
  cancelled: 3,
  stored: 3,
};

export function UploadList({ collection }: { readonly collection: string }) {
  const own = uploads.value.filter((upload) => upload.collection === collection);
  if (own.length === 0) return null;
  const ended = own.filter(hasEnded).length;
  const inOrder = own.toSorted((one, other) => ORDER[one.state.value.phase] - ORDER[other.state.value.phase]);
  return (
    <section class="card uploads" aria-label={texts.uploads}>
      <header>
        <h2>{texts.uploads}</h2>
        <span class="muted small number" role="status">
          {texts.uploadsLeft(ended, own.length)}
        </span>
        {ended > 0 && (
          <Button look="plain" onClick={() => clearEnded(collection)}>
            {texts.clear}
          </Button>
        )}
      </header>
      <ul>
        {inOrder.slice(0, MOST).map((upload) => (
          <UploadRow key={upload.id} upload={upload} />
        ))}
      </ul>
      {own.length > MOST && <p class="muted small">{texts.moreUploads(own.length - MOST)}</p>}
    </section>
  );
}

function UploadRow({ upload }: { readonly upload: Upload }) {
  const state = upload.state.value;
  return (
    <li class={hasEnded(upload) ? "ended" : undefined}>
      <span class="source" dir="auto">
        {upload.source}
      </span>
      <span class={`badge small number ${BADGES[state.phase]}`}>{describe(state)}</span>
      {state.phase === "refused" && <span class="problem">{reasonOf(state.error)}</span>}
      {(state.phase === "sending" || state.phase === "storing") && (
        <progress aria-label={upload.source} max={1} value={shareOf(state)} />
      )}
      {!hasEnded(upload) && (
        <IconButton icon={X} label={texts.cancelUpload(upload.source)} onClick={() => cancelUpload(upload)} />
      )}
    </li>
  );
}

const BADGES: Readonly<Record<UploadState["phase"], string>> = {
  waiting: "queued",
  sending: "running",
  storing: "running",
  stored: "completed",
  refused: "failed",
  cancelled: "cancelled",
};

function describe(state: UploadState): string {
  switch (state.phase) {
    case "waiting":
    case "stored":
    case "cancelled":
    case "refused":
      return texts[state.phase];
    case "sending":
      return texts.sending(formatBytes(state.sent), formatBytes(state.total));
    case "storing":
      return texts.storing(Math.round(state.progress * 100));
  }
}

/** Of sending or storing: 0 to 1. */
const shareOf = (state: Extract<UploadState, { phase: "sending" | "storing" }>): number =>
  state.phase === "storing" ? state.progress : state.sent / Math.max(1, state.total);
