/** The open responses of this process: streams and waits. A process that stops ends them, and any that come later. */
export type OpenResponses = {
  /** Calls `end` when the process stops, or soon if it is stopping already. Returns the function that removes `end`. */
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
