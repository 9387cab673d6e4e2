/** How much of what is stored a request may bring by its name: as much as it may bring itself. */
import type { Services } from "../../../services.ts";

export type GivenLimits = Pick<Services["config"], "MAX_BODY_BYTES" | "MAX_PARTS_BYTES">;

export const mostGivenBytes = ({ MAX_BODY_BYTES, MAX_PARTS_BYTES }: GivenLimits): number =>
  MAX_BODY_BYTES + MAX_PARTS_BYTES;

export type Budget = { spend(bytes: number): void };

/** Throws the error once more than `most` bytes are spent. */
export function createBudget(most: number, error: (most: number) => Error): Budget {
  let spent = 0;
  return {
    spend(bytes) {
      spent += bytes;
      if (spent > most) throw error(most);
    },
  };
}
