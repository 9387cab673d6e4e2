/** A text of Markdown, which may grow: only blocks that changed are made again. */
import type { ComponentChildren } from "preact";
import { memo } from "preact/compat";
import { useEffect, useMemo, useState } from "preact/hooks";
import { type Block, BlockReader } from "./blocks.ts";
import { elementsOf, type Marks } from "./elements.tsx";

type Props = Marks & {
  readonly text: string;
};

export function Markdown({ text, citation }: Props) {
  const reader = useMemo(() => new BlockReader(), []);
  const pace = useMemo(() => createPace(reader), [reader]);
  const [, setRound] = useState(0);
  const { blocks, isCurrent } = pace.read(text);
  // A large text is read over several frames.
  useEffect(() => {
    if (isCurrent) return;
    const frame = requestAnimationFrame(() => setRound((round) => round + 1));
    return () => cancelAnimationFrame(frame);
  });
  return (
    <div class="markdown">
      {blocks.map((block) => (
        <BlockView key={block.start} block={block} citation={citation} />
      ))}
    </div>
  );
}

/** What reading costs at most of the time: one part of so many. */
const SHARE = 4;

/** A last block that is large is parsed less often than tokens come. */
function createPace(reader: BlockReader) {
  let blocks: readonly Block[] = [];
  let read = "";
  let restUntil = 0;
  return {
    read(text: string): { readonly blocks: readonly Block[]; readonly isCurrent: boolean } {
      const startedAt = performance.now();
      if (startedAt >= restUntil && !(text === read && reader.isDone)) {
        blocks = reader.read(text);
        read = text;
        const now = performance.now();
        restUntil = now + (now - startedAt) * (SHARE - 1);
      }
      return { blocks, isCurrent: text === read && reader.isDone };
    },
  };
}

const BlockView = memo(
  ({ block, citation }: Marks & { readonly block: Block }): ComponentChildren =>
    block.tokens === null ? (
      <div class="plain" dir="auto">
        {block.source}
      </div>
    ) : (
      <div class="block" dir="auto">
        {elementsOf(block.tokens, { citation })}
      </div>
    ),
  // The last block is parsed anew with every token; its source tells whether it changed.
  (last, next) =>
    last.citation === next.citation &&
    last.block.source === next.block.source &&
    (last.block.tokens === null) === (next.block.tokens === null),
);
