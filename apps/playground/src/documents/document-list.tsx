/** The documents of a collection, page by page. */
import type { Document } from "@agent-paas/client";
import { FileText, Trash2 } from "lucide";
import { useEffect, useRef, useState } from "preact/hooks";
import { client } from "../state/connection.ts";
import { formatAge, formatBytes, formatNumber } from "../text/format.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { Empty, Failure, Loading } from "../ui/states.tsx";
import { TableHead } from "../ui/table-head.tsx";
import { texts as shared } from "../ui/texts.ts";
import { usePages } from "../ui/use-pages.ts";
import { deleteDocument } from "./deletions.ts";
import { PassageDialog } from "./passage-dialog.tsx";
import { texts } from "./texts.ts";

type Props = {
  readonly collection: string;
  /** The list is asked for anew when it changes. */
  readonly storedCount: number;
  readonly onDeleted: () => void;
};

export function DocumentList({ collection, storedCount, onDeleted }: Props) {
  const [opened, setOpened] = useState<string | null>(null);
  const pages = usePages<Document>(
    async (before, signal) => {
      const { documents, next } = await client.value.knowledge.documents(collection, { before, signal });
      return { items: documents, next };
    },
    [collection],
  );
  const seen = useRef(storedCount);
  useEffect(() => {
    if (seen.current !== storedCount) pages.reload();
    seen.current = storedCount;
  }, [storedCount]);
  const { items } = pages;
  return (
    <section class="card" aria-label={texts.documents}>
      <h2>{texts.documents}</h2>
      {pages.error !== null && <Failure error={pages.error} retry={pages.reload} />}
      {items === undefined && pages.error === null && <Loading />}
      {items?.length === 0 && <Empty icon={FileText}>{texts.noDocuments}</Empty>}
      {items !== undefined && items.length > 0 && (
        <div class="table-frame">
          <table class="list">
            <TableHead
              columns={[
                texts.name,
                { name: texts.format, class: "minor" },
                { name: texts.size, class: "amount" },
                { name: texts.chunks, class: "amount" },
                { name: texts.updated, class: "minor" },
                { name: texts.delete, isHidden: true },
              ]}
            />
            <tbody>
              {items.map((document) => (
                <DocumentRow
                  key={document.id}
                  document={document}
                  open={() => setOpened(document.id)}
                  remove={async () => {
                    if (!(await deleteDocument(collection, document))) return;
                    pages.remove(document.id);
                    onDeleted();
                  }}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {pages.hasMore && (
        <Button class="more" disabled={pages.isLoading} onClick={pages.more}>
          {shared.more}
        </Button>
      )}
      {opened !== null && <PassageDialog collection={collection} documentId={opened} onClose={() => setOpened(null)} />}
    </section>
  );
}

type RowProps = { readonly document: Document; readonly open: () => void; readonly remove: () => void };

const DocumentRow = ({ document: { source, format, bytes, chunks, updated_at }, open, remove }: RowProps) => (
  <tr>
    <td>
      <button type="button" class="link" dir="auto" title={source} onClick={open}>
        {source}
      </button>
    </td>
    <td class="minor muted small">{format}</td>
    <td class="amount number">{formatBytes(bytes)}</td>
    <td class="amount number">{formatNumber(chunks)}</td>
    <td class="minor muted small">{formatAge(updated_at)}</td>
    <td class="end">
      <IconButton icon={Trash2} label={texts.deleteDocumentOf(source)} onClick={remove} />
    </td>
  </tr>
);
