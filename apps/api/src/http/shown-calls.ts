/** The tool calls that a stream has shown, and which of them wait for a person: an approval does not name its call. */
export type ShownCall = {
  readonly id: string;
  readonly name: string;
  /** As JSON. */
  readonly args: string;
  /** The inquiry that asks whether the call may be made. */
  requestId: string | null;
};

/** The result of a call whose job has ended without one. */
export const NO_RESULT = "The job ended before this call had a result.";

export class ShownCalls {
  readonly #calls = new Map<string, ShownCall>();
  readonly #ended = new Set<string>();

  /** False for a call that was shown before: a later attempt repeats it. */
  add(id: string, name: string, input: unknown): boolean {
    if (this.#calls.has(id)) return false;
    this.#calls.set(id, { id, name, args: JSON.stringify(input), requestId: null });
    return true;
  }

  /** Returns the id of the call that an approval is asked for; null if the stream does not show that call. */
  awaitApproval(requestId: string, name: string, input: unknown): string | null {
    const args = JSON.stringify(input);
    const isFree = (call: ShownCall) => call.name === name && call.requestId === null;
    const open = this.unended();
    const call =
      open.find((each) => each.requestId === requestId) ??
      open.find((each) => isFree(each) && each.args === args) ??
      // What the model sends beside the tool's parameters is left out of what people see.
      open.find(isFree);
    if (call === undefined) return null;
    call.requestId = requestId;
    return call.id;
  }

  /** Null for a call that was not shown, or has ended before. */
  end(id: string): ShownCall | null {
    const call = this.#calls.get(id);
    if (call === undefined || this.#ended.has(id)) return null;
    this.#ended.add(id);
    return call;
  }

  unended(): ShownCall[] {
    return [...this.#calls.values()].filter(({ id }) => !this.#ended.has(id));
  }
}
