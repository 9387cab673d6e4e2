/**
 * Compares the tokens of one answer with those that the model sends: the token at each position is known beforehand.
 */
import { generatedTokens } from "../../../scripts/model-server/vocabulary.ts";

/** How many positions ahead a token is searched before it counts as misplaced; less than the vocabulary's period. */
const LOOK_AHEAD = 30;

export type TokenFaults = { missing: number; doubled: number; misplaced: number };

export class TokenCheck {
  readonly #expected: { readonly length: number; at(index: number): string };
  readonly #faults: TokenFaults = { missing: 0, doubled: 0, misplaced: 0 };
  #next = 0;

  /** The question determines where in its vocabulary the model begins. */
  constructor(tokens: number, question: string) {
    this.#expected = generatedTokens(tokens, "en", question);
  }

  token(text: string): void {
    if (text === this.#expected.at(this.#next)) this.#next++;
    else this.#findPosition(text);
  }

  /** Must be called once, at the end of the answer. */
  faults(): TokenFaults {
    const short = this.#expected.length - this.#next;
    if (short > 0) this.#faults.missing += short;
    else this.#faults.doubled -= short;
    return this.#faults;
  }

  #findPosition(text: string): void {
    if (this.#next > 0 && text === this.#expected.at(this.#next - 1)) {
      this.#faults.doubled++;
      return;
    }
    for (let skipped = 1; skipped <= LOOK_AHEAD; skipped++) {
      if (text !== this.#expected.at(this.#next + skipped)) continue;
      this.#faults.missing += skipped;
      this.#next += skipped + 1;
      return;
    }
    this.#faults.misplaced++;
  }
}
