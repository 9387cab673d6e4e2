/**
 * Chooses the step that answers a request: from a queued script first, then from the directives of the last user
 * message; without either, the model echoes. Holds all state of scripted answers.
 */
import { type ChatRequest, lastUserText, sinceLastUser } from "./chat-request.ts";
import { parseDirectives } from "./directives.ts";
import type { Directives, Script, Step } from "./step.ts";

/** Maximum number of messages whose faults are counted for `times=`; the oldest is removed first. */
const COUNTED_MESSAGES = 10_000;

export type Chosen = {
  readonly step: Step;
  /** The last user message without its directives. */
  readonly question: string;
};

export class ScriptBook {
  #scripts: { match: string | undefined; steps: Step[] }[] = [];
  readonly #faultsByMessage = new Map<string, number>();

  add({ match, steps }: Script): void {
    this.#scripts.push({ match, steps: [...steps] });
  }

  clear(): void {
    this.#scripts = [];
    this.#faultsByMessage.clear();
  }

  get stepsWaiting(): number {
    return this.#scripts.reduce((sum, script) => sum + script.steps.length, 0);
  }

  choose(request: ChatRequest): Chosen {
    const message = lastUserText(request.messages);
    const { directives, plain } = parseDirectives(message);
    const step = this.#nextScripted(message) ?? (directives && this.#directed(directives, message, request)) ?? {};
    return { step, question: plain };
  }

  #nextScripted(message: string): Step | undefined {
    const script = this.#scripts.find(({ match }) => match === undefined || message.includes(match));
    const step = script?.steps.shift();
    if (script?.steps.length === 0) this.#scripts = this.#scripts.filter((other) => other !== script);
    return step;
  }

  #directed({ calls, times, turn, ...step }: Directives, message: string, { messages }: ChatRequest): Step {
    const turnNow = sinceLastUser(messages).filter((item) => item.role === "assistant" && item.tool_calls).length;
    const hit = step.fault !== undefined && (turn ?? turnNow) === turnNow && this.#count(message) < (times ?? Infinity);
    const { text, tokens, fault, ...rest } = step;
    const toolCalls = calls?.[turnNow];
    return {
      ...rest,
      ...(hit && { fault }),
      ...(toolCalls ? { tool_calls: toolCalls } : { text, tokens }),
    };
  }

  /** Counts the message and returns how often it was counted before. */
  #count(message: string): number {
    const before = this.#faultsByMessage.get(message) ?? 0;
    this.#faultsByMessage.delete(message);
    this.#faultsByMessage.set(message, before + 1);
    const [oldest = message] = this.#faultsByMessage.keys();
    if (this.#faultsByMessage.size > COUNTED_MESSAGES) this.#faultsByMessage.delete(oldest);
    return before;
  }
}
