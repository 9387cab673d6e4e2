/** Deleting, once the person has confirmed it. Resolves to whether it was begun. */
import type { Collection, Document } from "@agent-paas/client";
import { client } from "../state/connection.ts";
import { confirm } from "../ui/confirm.tsx";
import { notify, notifyError } from "../ui/notices.tsx";
import { texts } from "./texts.ts";

export async function deleteCollection({ name, documents }: Pick<Collection, "name" | "documents">): Promise<boolean> {
  const text = texts.deleteCollectionAsk(name, documents);
  if (!(await confirm({ title: texts.deleteCollection, text, action: texts.delete }))) return false;
  return begin(name, () => client.value.knowledge.deleteCollection(name));
}

export async function deleteDocument(collection: string, { id, source }: Document): Promise<boolean> {
  const text = texts.deleteDocumentAsk(source);
  if (!(await confirm({ title: texts.deleteDocument, text, action: texts.delete }))) return false;
  return begin(source, () => client.value.knowledge.deleteDocument(collection, id));
}

async function begin(name: string, remove: () => Promise<boolean>): Promise<boolean> {
  try {
    if (!(await remove())) notify(texts.beingDeleted(name));
    return true;
  } catch (error) {
    notifyError(error);
    return false;
  }
}
