/** All collections, and the way to a new one. */
import type { Collection } from "@agent-paas/client";
import { LibraryBig, Plus, Trash2 } from "lucide";
import { useState } from "preact/hooks";
import { client } from "../state/connection.ts";
import { linkTo } from "../state/route.ts";
import { formatAge, formatNumber } from "../text/format.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { Await, Empty } from "../ui/states.tsx";
import { TableHead } from "../ui/table-head.tsx";
import { useLoad } from "../ui/use-load.ts";
import { deleteCollection } from "./deletions.ts";
import { NewCollectionDialog } from "./new-collection-dialog.tsx";
import { texts } from "./texts.ts";

export function CollectionList() {
  const [isNaming, setNaming] = useState(false);
  const loaded = useLoad((signal) => client.value.knowledge.collections({ signal }), []);
  const create = (
    <Button icon={Plus} look="primary" onClick={() => setNaming(true)}>
      {texts.newCollection}
    </Button>
  );
  return (
    <>
      <header>
        <div>
          <h1>{texts.title}</h1>
          <p class="muted about">{texts.about}</p>
        </div>
        {loaded.value !== undefined && loaded.value.length > 0 && create}
      </header>
      <Await of={loaded}>
        {(collections) =>
          collections.length === 0 ? (
            <Empty icon={LibraryBig}>
              <p>{texts.noCollections}</p>
              {create}
            </Empty>
          ) : (
            <CollectionTable collections={collections} reload={loaded.reload} />
          )
        }
      </Await>
      {isNaming && <NewCollectionDialog onClose={() => setNaming(false)} />}
    </>
  );
}

type TableProps = { readonly collections: readonly Collection[]; readonly reload: () => void };

const CollectionTable = ({ collections, reload }: TableProps) => (
  <div class="card table-frame">
    <table class="list">
      <TableHead
        columns={[
          texts.name,
          { name: texts.documents, class: "amount" },
          { name: texts.chunks, class: "amount" },
          { name: texts.embedding, class: "minor" },
          { name: texts.created, class: "minor" },
          { name: texts.delete, isHidden: true },
        ]}
      />
      <tbody>
        {collections.map((collection) => (
          <tr key={collection.name}>
            <td>
              <a href={linkTo("documents", collection.name)}>{collection.name}</a>
            </td>
            <td class="amount number">{formatNumber(collection.documents)}</td>
            <td class="amount number">{formatNumber(collection.chunks)}</td>
            <td class="minor muted small">{collection.embedding}</td>
            <td class="minor muted small">{formatAge(collection.created_at)}</td>
            <td class="end">
              <IconButton
                icon={Trash2}
                label={texts.deleteCollectionOf(collection.name)}
                onClick={() => void deleteCollection(collection).then((isDeleted) => isDeleted && reload())}
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
