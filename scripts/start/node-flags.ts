/**
 * Flags of Node for the API and the workers, in every way to start them. They limit the young generation of the heap to
 * 32 MB: by default it grows to 128 MB with the first thousands of streams and makes nothing faster (test/bench,
 * `idle`).
 */
export const NODE_FLAGS = ["--max-semi-space-size=16"] as const;
