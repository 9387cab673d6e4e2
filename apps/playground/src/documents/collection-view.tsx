/** One collection: what it has, adding to it, and trying what it finds. */
import type { Collection } from "@agent-paas/client";
import { ChevronLeft, Trash2 } from "lucide";
import { useEffect, useState } from "preact/hooks";
import { client } from "../state/connection.ts";
import { goTo, linkTo } from "../state/route.ts";
import { IconButton } from "../ui/button.tsx";
import { Icon } from "../ui/icon.tsx";
import { Failure } from "../ui/states.tsx";
import { useLoad } from "../ui/use-load.ts";
import { AddDocuments } from "./add-documents.tsx";
import { deleteCollection } from "./deletions.ts";
import { DocumentList } from "./document-list.tsx";
import { QueryPanel } from "./query-panel.tsx";
import { texts } from "./texts.ts";
import { UploadList } from "./upload-list.tsx";
import { uploads } from "./uploads.ts";

/** Between two looks at what was stored: of many small documents, each would be one. */
const SETTLE_MS = 500;

export function CollectionView({ name }: { readonly name: string }) {
  const storedCount = useStoredCount(name);
  const { value, error, reload } = useLoad((signal) => findCollection(name, signal), [name]);
  useEffect(reload, [storedCount]);
  const isThere = value !== undefined && value !== null;
  return (
    <>
      <header>
        <div class="head">
          <a class="back small" href={linkTo("documents")}>
            <Icon of={ChevronLeft} size={16} />
            {texts.back}
          </a>
          <h1>{name}</h1>
          <p class="muted about number">
            {value === null && texts.notYet}
            {isThere && `${texts.counts(value.documents, value.chunks)} · ${value.embedding}`}
          </p>
        </div>
        {isThere && (
          <IconButton
            icon={Trash2}
            label={texts.deleteCollection}
            onClick={() => void deleteCollection(value).then((isDeleted) => isDeleted && goTo("documents"))}
          />
        )}
      </header>
      {error !== null && <Failure error={error} retry={reload} />}
      <AddDocuments collection={name} />
      <UploadList collection={name} />
      {isThere && value.chunks > 0 && <QueryPanel collection={name} />}
      {isThere && <DocumentList collection={name} storedCount={storedCount} onDeleted={reload} />}
    </>
  );
}

/** Null: it has no document yet. Of the list, because browsers report a 404 as an error of the page. */
async function findCollection(name: string, signal: AbortSignal): Promise<Collection | null> {
  const all = await client.value.knowledge.collections({ signal });
  return all.find((one) => one.name === name) ?? null;
}

/** How many uploads of this page have been stored. */
function useStoredCount(collection: string): number {
  const count = uploads.value.filter(
    (upload) => upload.collection === collection && upload.state.value.phase === "stored",
  ).length;
  const [settled, setSettled] = useState(count);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(count), SETTLE_MS);
    return () => clearTimeout(timer);
  }, [count]);
  return settled;
}
