/** The answers that stay open for long, streams and waits: a process that stops ends them, and those that come late. */
export type OpenResponses = {
  /** Calls `end` when the process stops, soon if it does so already; returns how to be forgotten. */
  add(end: () => void): () => void;
  endAll(): void;
};

export function createOpenResponses(): OpenResponses {
  const open = new Set<() => void>();
  let stopping = false;
  return {
    add(end) {
      open.add(end);
      if (stopping) queueMicrotask(() => open.has(end) && end());
      return () => open.delete(end);
    },
    endAll() {
      stopping = true;
      for (const end of open) end();
    },
  };
}
