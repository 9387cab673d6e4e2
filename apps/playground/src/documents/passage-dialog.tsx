/** A passage where it stands in its document; what is before and behind it can be read on. */
import type { Chunk } from "@agent-paas/client";
import { ChevronDown, ChevronUp } from "lucide";
import { useEffect, useRef } from "preact/hooks";
import { client } from "../state/connection.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Await } from "../ui/states.tsx";
import { type Loaded, useLoad } from "../ui/use-load.ts";
import { texts } from "./texts.ts";

type Props = {
  readonly collection: string;
  readonly documentId: string;
  /** Of the passage: the index of its chunk. Without one, the document is read from its beginning. */
  readonly position?: number | undefined;
  readonly onClose: () => void;
};

/** How many chunks are asked for at once, and how many of them stand on each side of the one asked for. */
const LIMIT = 9;
const BESIDE = (LIMIT - 1) / 2;

export function PassageDialog({ collection, documentId, position, onClose }: Props) {
  const { loaded, earlier, later } = useChunks(collection, documentId, position);
  return (
    <Dialog title={loaded.value?.source ?? texts.document} onClose={onClose} wide>
      <div class="passage-dialog">
        <Await of={loaded}>
          {({ chunks }) => (
            <>
              {earlier && (
                <Button look="plain" icon={ChevronUp} onClick={earlier}>
                  {texts.earlier}
                </Button>
              )}
              <ol>
                {chunks.map((chunk) => (
                  <ChunkView key={chunk.position} chunk={chunk} isMarked={chunk.position === position} />
                ))}
              </ol>
              {later && (
                <Button look="plain" icon={ChevronDown} onClick={later}>
                  {texts.later}
                </Button>
              )}
            </>
          )}
        </Await>
      </div>
    </Dialog>
  );
}

type Part = { readonly source: string; readonly chunks: readonly Chunk[]; readonly isEnd: boolean };

/** What was read so far, always one piece of the document. `earlier` and `later` are absent at its ends. */
function useChunks(collection: string, documentId: string, position: number | undefined) {
  const around = useRef(position);
  const seen = useRef(new Map<number, Chunk>());
  const loaded: Loaded<Part> = useLoad(
    async (signal) => {
      const asked = around.current;
      const range = { limit: LIMIT, ...(asked === undefined ? {} : { around: asked }) };
      const page = await client.peek().knowledge.chunks(collection, documentId, { ...range, signal });
      const { source, chunks, total } = page;
      for (const chunk of chunks) seen.current.set(chunk.position, chunk);
      const all = [...seen.current.values()].sort((one, other) => one.position - other.position);
      return { source, chunks: all, isEnd: (all.at(-1)?.position ?? -1) === total - 1 };
    },
    [collection, documentId],
  );
  const ask = (next: number) => () => {
    around.current = Math.max(0, next);
    loaded.reload();
  };
  const first = loaded.value?.chunks.at(0)?.position ?? 0;
  const last = loaded.value?.chunks.at(-1)?.position ?? 0;
  return {
    loaded,
    earlier: first > 0 ? ask(first - 1 - BESIDE) : null,
    later: loaded.value?.isEnd === false ? ask(last + 1 + BESIDE) : null,
  };
}

function ChunkView({ chunk: { position, text }, isMarked }: { readonly chunk: Chunk; readonly isMarked: boolean }) {
  const element = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isMarked) element.current?.scrollIntoView({ block: "center" });
  }, [isMarked]);
  return (
    <li ref={element} class={isMarked ? "marked" : undefined}>
      <span class="number muted small">{position + 1}</span>
      {isMarked ? (
        <mark dir="auto">{text}</mark>
      ) : (
        <span class="text" dir="auto">
          {text}
        </span>
      )}
    </li>
  );
}
