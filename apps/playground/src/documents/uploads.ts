/**
 * The documents on their way to collections. They go on while the person is on other pages; a few at a time, because a
 * browser has few connections for one host. Another key begins with none.
 */
import { AgentPaasError } from "@agent-paas/client";
import { effect, type Signal, signal } from "@preact/signals";
import { apiKey, client, noteRefusal } from "../state/connection.ts";

export type UploadState =
  | { readonly phase: "waiting" }
  | { readonly phase: "sending"; readonly sent: number; readonly total: number }
  /** `progress`: 0 to 1. */
  | { readonly phase: "storing"; readonly jobId: string; readonly progress: number }
  | { readonly phase: "stored" }
  | { readonly phase: "refused"; readonly error: unknown }
  | { readonly phase: "cancelled" };

export type Upload = {
  readonly id: number;
  readonly collection: string;
  readonly source: string;
  readonly bytes: number;
  readonly state: Signal<UploadState>;
};

type Given = { readonly source: string; readonly content: Blob };

const AT_ONCE = 3;

/** Oldest first. */
export const uploads = signal<readonly Upload[]>([]);

const queue: (() => Promise<void>)[] = [];
const leave = new Map<number, AbortController>();
let running = 0;
let lastId = 0;

effect(() => {
  if (apiKey.value === null) forgetAll();
  return forgetAll;
});

export const hasEnded = ({ state }: Upload): boolean =>
  state.value.phase === "stored" || state.value.phase === "refused" || state.value.phase === "cancelled";

export function addUploads(collection: string, given: readonly Given[]): void {
  const added = given.map(({ source, content }): Upload => {
    lastId += 1;
    const upload: Upload = {
      ...{ id: lastId, collection, source, bytes: content.size },
      state: signal<UploadState>({ phase: "waiting" }),
    };
    const left = new AbortController();
    leave.set(upload.id, left);
    queue.push(() => run(upload, content, left.signal));
    return upload;
  });
  uploads.value = [...uploads.value, ...added];
  for (const _ of added) void work();
}

export function cancelUpload({ id, state }: Upload): void {
  const last = state.value;
  if (last.phase === "storing") return void client.value.cancel(last.jobId).catch(noteRefusal);
  leave.get(id)?.abort();
  // Its turn may be far off.
  if (last.phase === "waiting") state.value = { phase: "cancelled" };
}

export function clearEnded(collection: string): void {
  uploads.value = uploads.value.filter((upload) => upload.collection !== collection || !hasEnded(upload));
}

function forgetAll(): void {
  for (const left of leave.values()) left.abort();
  queue.length = 0;
  uploads.value = [];
}

async function work(): Promise<void> {
  if (running === AT_ONCE) return;
  running += 1;
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) await next();
  running -= 1;
}

async function run({ id, collection, source, state }: Upload, content: Blob, signal: AbortSignal): Promise<void> {
  try {
    signal.throwIfAborted();
    const { knowledge, events } = client.peek();
    state.value = { phase: "sending", sent: 0, total: content.size };
    const { job_id: jobId } = await knowledge.upload(collection, content, {
      ...{ signal, source },
      onProgress: ({ sent, total }) => {
        state.value = { phase: "sending", sent, total };
      },
    });
    state.value = { phase: "storing", jobId, progress: 0 };
    const stored = events(jobId, { signal });
    for await (const { event, data } of stored) {
      if (event !== "thought" || typeof data.progress !== "number") continue;
      state.value = { phase: "storing", jobId, progress: data.progress };
    }
    const { status } = await stored.result();
    state.value = { phase: status === "cancelled" ? "cancelled" : "stored" };
  } catch (error) {
    state.value = isCancel(error, signal) ? { phase: "cancelled" } : { phase: "refused", error };
    noteRefusal(error);
  } finally {
    leave.delete(id);
  }
}

const isCancel = (error: unknown, signal: AbortSignal): boolean =>
  signal.aborted || (error instanceof AgentPaasError && error.code === "job_cancelled");
