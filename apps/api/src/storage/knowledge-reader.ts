/** Reads collections and what is said of their documents. The owner is part of every query (I8). */
import type { CollectionRow, DocumentRow, UnreferencedCopyRow } from "@agent-paas/shared/db/rows.ts";
import type { Knex } from "knex";
import type { ReadDatabase } from "./database.ts";
import type { Page } from "./session-reader.ts";

export type CountedCollection = CollectionRow & { readonly documents: number; readonly chunks: number };

export type KnowledgeReader = ReturnType<typeof createKnowledgeReader>;

export function createKnowledgeReader(database: ReadDatabase) {
  return {
    /** By name. */
    collections: (owner: string): Promise<CountedCollection[]> =>
      database.read((db) => countedCollections(db, owner).orderBy("name"), []),

    counted: (owner: string, name: string): Promise<CountedCollection | undefined> =>
      database.read((db) => countedCollections(db, owner).where({ name }).first(), undefined),

    /** Without its counts, which cost the more the more documents there are. */
    collection: (owner: string, name: string): Promise<CollectionRow | undefined> =>
      database.read((db) => db<CollectionRow>("collections").where({ owner, name }).first(), undefined),

    document: (owner: string, collectionId: string, id: string): Promise<DocumentRow | undefined> =>
      database.read(
        (db) => db<DocumentRow>("documents").where({ id, owner, collection_id: collectionId }).first(),
        undefined,
      ),

    /** Whether a job has begun to store a document of that id. */
    isBeingStored: (owner: string, collectionId: string, id: string): Promise<boolean> =>
      database.read(async (db) => {
        const copy = { owner, collection_id: collectionId, document_id: id, state: "pending" } as const;
        return (await db<UnreferencedCopyRow>("unreferenced_copies").where(copy).first()) !== undefined;
      }, false),

    /** Newest first. */
    documents: (owner: string, collectionId: string, { limit, before }: Page): Promise<DocumentRow[]> =>
      database.read((db) => {
        const ofCollection = { owner, collection_id: collectionId };
        const query = db<DocumentRow>("documents").where(ofCollection);
        if (before !== undefined) {
          // A document's id says nothing of its age.
          const place = db("documents")
            .where({ ...ofCollection, id: before })
            .select("created_at", "id");
          query.whereRaw("(created_at, id) < (?)", [place]);
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

const countedCollections = (db: Knex, owner: string) => {
  const ofCollection = () => db("documents").whereRaw("documents.collection_id = collections.id");
  return db<CountedCollection>("collections")
    .where({ owner })
    .select("collections.*", ofCollection().count("*").as("documents"))
    .select(ofCollection().select(db.raw("coalesce(sum(chunks), 0)")).as("chunks"));
};
