/** Words of a test's own: a test that is tried again must not count what its first try left behind. */
import { randomUUID } from "node:crypto";

export const fresh = (word: string): string => `${word}-${randomUUID()}`;
