/** Collections and their documents. */
import { AgentPaasError } from "./errors.ts";
import { awaitJob } from "./jobs.ts";
import { type CallOptions, idempotent, type JobOptions, type Transport } from "./transport.ts";
import { type OnProgress, uploader } from "./upload.ts";
import type {
  AcceptedJob,
  Collection,
  CollectionList,
  Document,
  DocumentChunks,
  DocumentFormat,
  DocumentPage,
  FoundPassages,
  StoringDocument,
} from "./wire/answers.ts";
import type { ChunksQuery, PageQuery, QueryRequest } from "./wire/requests.ts";

export type UploadOptions = JobOptions & {
  /** The document's name: the same name again replaces the document. Default: the name of a `File`. */
  readonly source?: string | undefined;
  /** Default: what name, type and content tell. */
  readonly format?: DocumentFormat | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
  /** Of the bytes that are sent. The events of the job `job_id` tell how storing goes on. */
  readonly onProgress?: OnProgress | undefined;
};

/** What the platform would read as a request about a document, not as the document. */
const REQUEST_TYPE = /^(?:application\/(?:json|x-www-form-urlencoded)|multipart\/form-data)/i;

const pathOf = (collection: string, ...more: readonly string[]): string =>
  `/knowledge/${[collection, ...more].map(encodeURIComponent).join("/")}`;

export function createKnowledge(transport: Transport) {
  const remove = async (path: string, { signal }: CallOptions): Promise<boolean> =>
    (await transport.call("DELETE", path, { signal })).status === 204;

  /** What a search found: at once, or as a job. */
  async function found<Body extends object>(
    { status, body }: { readonly status: number; readonly body: Body | AcceptedJob },
    signal: AbortSignal | undefined,
  ): Promise<Body> {
    if (status === 200) return body as Body;
    const { status: ended, result, error } = await awaitJob(transport, (body as AcceptedJob).job_id, { signal });
    if (error !== null) throw new AgentPaasError(error.code, error.message);
    if (ended === "cancelled") throw new AgentPaasError("job_cancelled", "The search was cancelled");
    return result?.data as Body;
  }

  return {
    collections: async ({ signal }: CallOptions = {}): Promise<readonly Collection[]> =>
      (await transport.json<CollectionList>("GET", "/knowledge", { signal })).collections,

    collection: (name: string, { signal }: CallOptions = {}): Promise<Collection> =>
      transport.json("GET", pathOf(name), { signal }),

    /** With its documents. True once deleted; false while the platform is still at it. */
    deleteCollection: (name: string, options: CallOptions = {}): Promise<boolean> => remove(pathOf(name), options),

    documents: (name: string, { signal, ...query }: CallOptions & PageQuery = {}): Promise<DocumentPage> =>
      transport.json("GET", pathOf(name, "documents"), { signal, query }),

    document: (name: string, id: string, { signal }: CallOptions = {}): Promise<Document> =>
      transport.json("GET", pathOf(name, "documents", id), { signal }),

    /** The text around a position, as a citation has it; without one, from the beginning. */
    async chunks(
      name: string,
      id: string,
      { signal, ...query }: CallOptions & ChunksQuery = {},
    ): Promise<DocumentChunks> {
      const path = pathOf(name, "documents", id, "chunks");
      return found(await transport.call<DocumentChunks | AcceptedJob>("GET", path, { signal, query }), signal);
    },

    /** True once deleted; false while the platform is still at it. */
    deleteDocument: (name: string, id: string, options: CallOptions = {}): Promise<boolean> =>
      remove(pathOf(name, "documents", id), options),

    /** Stores a file or a text. The first document of a collection creates it. */
    upload: (
      name: string,
      file: Blob | ArrayBuffer | Uint8Array<ArrayBuffer> | string,
      { signal, source, format, metadata, onProgress = () => {}, ...key }: UploadOptions = {},
    ): Promise<StoringDocument> => {
      const blob = file instanceof Blob ? file : new Blob([file]);
      const query = {
        source: source ?? (blob as { readonly name?: string }).name,
        format,
        metadata: metadata && JSON.stringify(metadata),
      };
      const isFile = blob.type !== "" && !REQUEST_TYPE.test(blob.type);
      const type = isFile ? blob.type : typeof file === "string" ? "text/plain" : "application/octet-stream";
      const headers = { ...idempotent(key), "Content-Type": type };
      const send = uploader(blob, transport, onProgress);
      return transport.json("POST", pathOf(name, "documents"), { signal, query, headers, send });
    },

    /** The best passages. A search that takes long is waited for. */
    async query(name: string, json: QueryRequest, { signal }: CallOptions = {}): Promise<FoundPassages> {
      const { status, body } = await transport.call<FoundPassages | AcceptedJob>("POST", pathOf(name, "query"), {
        ...{ json, signal },
      });
      const passages: Omit<FoundPassages, "collection"> = await found({ status, body }, signal);
      return { collection: name, ...passages };
    },
  };
}
