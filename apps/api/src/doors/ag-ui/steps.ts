/** The steps of a plan, which run side by side; a later attempt tells of them again. */
import { frame } from "./events.ts";

export class Steps {
  readonly #open = new Set<string>();
  readonly #ended = new Set<string>();

  /** Of a `delegate` thought. */
  apply(stepName: string, status: unknown): string {
    if (this.#ended.has(stepName) || status === "event" || status === "retrying") return "";
    if (status !== "started") return this.#start(stepName) + this.#end(stepName);
    return this.#start(stepName);
  }

  /** A run may not end within a step. */
  endAll(): string {
    return [...this.#open].map((stepName) => this.#close(stepName)).join("");
  }

  #start(stepName: string): string {
    if (this.#open.has(stepName)) return "";
    this.#open.add(stepName);
    return frame({ type: "STEP_STARTED", stepName });
  }

  #end(stepName: string): string {
    this.#ended.add(stepName);
    return this.#close(stepName);
  }

  #close(stepName: string): string {
    this.#open.delete(stepName);
    return frame({ type: "STEP_FINISHED", stepName });
  }
}
