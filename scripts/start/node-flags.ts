/**
 * How Node runs the API and the workers, whoever starts them. The young generation of the heap takes 32 MB at most: by default it
 * grows to 128 MB with the first thousands of streams, and nothing is faster for it (test/bench, `idle`).
 */
export const NODE_FLAGS = ["--max-semi-space-size=16"] as const;
