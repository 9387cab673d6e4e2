/**
 * Writes of small documents that wait for one collection go to the vector store together: Chroma takes nearly as long
 * for one chunk as for dozens. A write joins the group that waits for the collection's turn, as long as there is room.
 */
import { untilAborted } from "@agent-paas/agents/job/until-aborted.ts";
import type { EmbeddedChunk, VectorStore } from "@agent-paas/agents/retrieval/vector-store.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Turn } from "./fair-queue.ts";
import type { StoreTurns } from "./store-turns.ts";

export type WriteGroups = {
  /**
   * Stores the chunks in their turn; resolves to the time that the write took, ms. Rejects at once when `signal`
   * aborts: chunks that still wait are not written then, and a write that has begun keeps its turn.
   */
  write(store: VectorStore, turn: Turn, signal: AbortSignal, chunks: readonly EmbeddedChunk[]): Promise<number>;
};

/** Chunks of one group. A turn must not last long, because others wait for it. */
const MAX_CHUNKS = 64;

type Member = { readonly chunks: readonly EmbeddedChunk[]; failure: unknown };
type Group = { readonly members: Set<Member>; readonly written: Promise<number> };

export function createWriteGroups(turns: StoreTurns): WriteGroups {
  /** By collection: the group whose turn has not come. */
  const waiting = new Map<string, Group>();
  /** A group belongs to several jobs, so no job's signal ends it; nor does one end a write that has begun. */
  const never = new AbortController().signal;

  function open(store: VectorStore, turn: Turn): Group {
    const members = new Set<Member>();
    const written = turns.run(turn, never, async () => {
      if (waiting.get(turn.collectionId) === group) waiting.delete(turn.collectionId);
      const begun = performance.now();
      if (members.size > 0) await writeAll(store, turn.collectionId, [...members]);
      return performance.now() - begun;
    });
    // All its jobs may have been cancelled by then.
    written.catch(() => undefined);
    const group: Group = { members, written };
    waiting.set(turn.collectionId, group);
    return group;
  }

  async function writeAll(store: VectorStore, collectionId: string, members: readonly Member[]): Promise<void> {
    try {
      const chunks = members.flatMap(({ chunks: ofMember }) => ofMember);
      await store.upsert(collectionId, chunks, never);
    } catch (error) {
      if (members.length === 1 || isUnavailable(error)) throw error;
      // The store refuses what one of them has; the others are not to blame.
      for (const member of members) {
        await store.upsert(collectionId, member.chunks, never).catch((reason: unknown) => {
          member.failure = reason;
        });
      }
    }
  }

  return {
    async write(store, turn, signal, chunks) {
      signal.throwIfAborted();
      const found = waiting.get(turn.collectionId);
      const group = found !== undefined && sizeOf(found) + chunks.length <= MAX_CHUNKS ? found : open(store, turn);
      const member: Member = { chunks, failure: null };
      group.members.add(member);
      try {
        const tookMs = await untilAborted(group.written, signal);
        if (member.failure !== null) throw member.failure;
        return tookMs;
      } finally {
        // Without effect once the write has begun.
        group.members.delete(member);
      }
    },
  };
}

const sizeOf = ({ members }: Group): number => [...members].reduce((sum, { chunks }) => sum + chunks.length, 0);

const isUnavailable = (error: unknown): boolean =>
  error instanceof PlatformError && error.code === "vector_store_unavailable";
