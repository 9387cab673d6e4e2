/** Reads collections and documents, not the contents of documents. The owner is part of every query (I8). */
import type { Sql, Table } from "@agent-paas/shared/db/queries.ts";
import type { CollectionRow, DocumentRow } from "@agent-paas/shared/db/rows.ts";
import type { ReadStorage } from "@agent-paas/shared/db/storage.ts";
import type { Page } from "./session-reader.ts";

export type CountedCollection = CollectionRow & { readonly documents: number; readonly chunks: number };

/** What an owner has, and whether a document and its collection are part of it. */
export type KnowledgeUse = {
  readonly collections: number;
  readonly documents: number;
  readonly chunks: number;
  readonly hasCollection: boolean;
  readonly hasDocument: boolean;
};

const NOTHING: KnowledgeUse = {
  ...{ collections: 0, documents: 0, chunks: 0 },
  ...{ hasCollection: false, hasDocument: false },
};

export type KnowledgeReader = ReturnType<typeof createKnowledgeReader>;

export function createKnowledgeReader(storage: ReadStorage) {
  return {
    /** By name. */
    collections: (owner: string): Promise<CountedCollection[]> =>
      storage.read((table, sql) => countedCollections(table, sql, owner).orderBy("name"), []),

    counted: (owner: string, name: string): Promise<CountedCollection | undefined> =>
      storage.read((table, sql) => countedCollections(table, sql, owner).where({ name }).first(), undefined),

    /** Without its counts, whose cost grows with the number of documents. */
    collection: (owner: string, name: string): Promise<CollectionRow | undefined> =>
      storage.read((table) => table("collections").where({ owner, name }).first(), undefined),

    document: (owner: string, collectionId: string, id: string): Promise<DocumentRow | undefined> =>
      storage.read((table) => table("documents").where({ id, owner, collection_id: collectionId }).first(), undefined),

    /** Counted from the rows, so it is never wrong; it takes about a millisecond for 10,000 documents. */
    use: (owner: string, collection: string, documentId: string): Promise<KnowledgeUse> =>
      storage.read(async (table, sql) => {
        const collections = await countedCollections(table, sql, owner);
        const sum = (of: "documents" | "chunks") => collections.reduce((all, { [of]: count }) => all + count, 0);
        const document = await table("documents").where({ id: documentId, owner }).first();
        return {
          ...{ collections: collections.length, documents: sum("documents"), chunks: sum("chunks") },
          hasCollection: collections.some(({ name }) => name === collection),
          hasDocument: document !== undefined,
        };
      }, NOTHING),

    /** Whether a job has begun a copy of the document that it may still commit. */
    isBeingStored: (owner: string, collectionId: string, id: string): Promise<boolean> =>
      storage.read(async (table) => {
        const copy = { owner, collection_id: collectionId, document_id: id, state: "pending" } as const;
        return (await table("unreferenced_copies").where(copy).first()) !== undefined;
      }, false),

    /** Newest first. */
    documents: (owner: string, collectionId: string, { limit, before }: Page): Promise<DocumentRow[]> =>
      storage.read((table) => {
        const ofCollection = { owner, collection_id: collectionId };
        const query = table("documents").where(ofCollection);
        if (before !== undefined) {
          // The id of a document is a hash, so ids do not sort by age.
          const position = table("documents")
            .where({ ...ofCollection, id: before })
            .select("created_at", "id");
          query.whereRaw("(created_at, id) < (?)", [position]);
        }
        return query
          .orderBy([
            { column: "created_at", order: "desc" },
            { column: "id", order: "desc" },
          ])
          .limit(limit);
      }, []),
  };
}

const countedCollections = (table: Table, sql: Sql, owner: string) => {
  const ofCollection = () => table("documents").whereRaw("documents.collection_id = collections.id");
  return table("collections")
    .where({ owner })
    .select("collections.*", ofCollection().count("*").as("documents"))
    .select(ofCollection().select(sql.expression("coalesce(sum(chunks), 0)")).as("chunks"));
};
