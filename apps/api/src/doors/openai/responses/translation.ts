/**
 * The events of a job as the events of a response. They are the same whoever translates the log, and when, so a client
 * resumes on any API by the number of the last one that it has seen.
 *
 * Numbers: each event of the job has `SPAN` of them, from its `seq` times `SPAN`. The first half is for what comes
 * before the answer's text has begun, the second half for what comes after; so a number tells whether its client has
 * the beginning of the answer. What the end says of the answer begins behind a whole span, because the log and the
 * database agree on that alone.
 */
import type { ClientCall } from "@agent-paas/shared/contract/client-tools.ts";
import type { DecodedEvent, DoneEvent } from "@agent-paas/shared/contract/events.ts";
import type { JobError } from "@agent-paas/shared/contract/jobs.ts";
import { GrowingText } from "@agent-paas/shared/growing-text.ts";
import { AppendOnlyText } from "../../../http/append-only-text.ts";
import { callItemId, messageId, reasoningId } from "./ids.ts";
import {
  annotationsOf,
  endState,
  type Head,
  messageItem,
  type OutputItem,
  openState,
  outputText,
  type State,
} from "./response.ts";

const SPAN = 16;
const HALF = SPAN / 2;

export type Fields = Readonly<Record<string, unknown>>;

export type TranslationOptions = {
  readonly jobId: string;
  readonly head: Head;
  /** The number of the last event that the client has seen; -1 for none. */
  readonly after: number;
  /** Gets every event that the client has not seen. */
  readonly send: (type: string, number: number, fields: Fields) => void;
};

type Open = { readonly index: number; readonly id: string; readonly text: GrowingText };

export class ResponseTranslation {
  readonly #options: TranslationOptions;
  readonly #output: OutputItem[] = [];
  #seq = 0;
  /** How many numbers of this `seq` are used. */
  #used = 0;
  #isStarted = false;
  /** The answer's text as it stands, and as a client sees it that can only append. */
  readonly #text = new GrowingText();
  readonly #appended = new AppendOnlyText();
  #messageIndex: number | null = null;
  #reasoning: Open | null = null;
  /** Whether the client has a part of the answer of which this log does not tell how long it is. */
  #isUnsure = false;
  #error: JobError | null = null;
  #state: State = openState("in_progress");

  constructor(options: TranslationOptions) {
    this.#options = options;
  }

  /** What every response begins with, before any event of its job. */
  begin(): void {
    const { head } = this.#options;
    const response = { ...head, ...openState(head.background ? "queued" : "in_progress") };
    this.#send("response.created", { response });
    if (head.background) this.#send("response.queued", { response });
  }

  /** The state of the response after all events so far. */
  get state(): State {
    return this.#state;
  }

  /** The number of what comes next. */
  get nextNumber(): number {
    return this.#seq * SPAN + this.#used;
  }

  apply({ seq, ...event }: DecodedEvent): void {
    this.#enter(seq, event.event === "message");
    if (event.event === "error") this.#error = { code: event.data.code, message: event.data.message };
    else if (event.event === "done") this.#end(event.data);
    else if (event.event === "thought" && event.data.type === "queued") return;
    else {
      this.#start();
      if (event.event === "message") this.#message(event.data);
      else this.#thought(event.data.type, event.data.content);
    }
  }

  #enter(seq: number, isMessage: boolean): void {
    const last = Math.floor(this.#options.after / SPAN);
    // The event that the client saw last is not in the log any more, or one that stands for several is in its place.
    const isLost = this.#seq < last && (last < seq || (last === seq && isMessage && this.#seq + 1 < seq));
    if (isLost) this.#isUnsure = this.#options.after % SPAN >= HALF;
    this.#seq = seq;
    this.#used = this.#messageIndex === null ? 0 : HALF;
  }

  #start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    // The first of a job's own events; whoever has seen any has seen it.
    if (this.#options.after >= SPAN) this.#used++;
    else this.#send("response.in_progress", { response: { ...this.#options.head, ...openState("in_progress") } });
  }

  #thought(type: string, content: string): void {
    if (type === "reasoning") this.#think(content);
    // A person must act before the job goes on: the only place where these clients show what is no answer.
    else if (type === "approval_required" || type === "input_required") this.#think(`${content}\n`);
    else if (type === "retry") this.#endReasoning();
  }

  #think(delta: string): void {
    if (delta === "") return;
    const { id, index, text } = this.#reasoning ?? this.#beginReasoning();
    text.append(delta);
    this.#send("response.reasoning_summary_text.delta", { item_id: id, output_index: index, summary_index: 0, delta });
  }

  #beginReasoning(): Open {
    const index = this.#output.length;
    const open = { index, id: reasoningId(this.#options.jobId, index), text: new GrowingText() };
    const item: OutputItem = { id: open.id, type: "reasoning", summary: [] };
    this.#reasoning = open;
    this.#output.push(item);
    this.#send("response.output_item.added", { output_index: index, item });
    const part = { type: "summary_text", text: "" };
    this.#send("response.reasoning_summary_part.added", {
      ...{ item_id: open.id, output_index: index, summary_index: 0, part },
    });
    return open;
  }

  #endReasoning(): void {
    if (this.#reasoning === null) return;
    const { id, index, text: grown } = this.#reasoning;
    this.#reasoning = null;
    const text = `${grown}`;
    const part = { type: "summary_text" as const, text };
    const item: OutputItem = { id, type: "reasoning", summary: [part] };
    this.#output[index] = item;
    const at = { item_id: id, output_index: index, summary_index: 0 };
    this.#send("response.reasoning_summary_text.done", { ...at, text });
    this.#send("response.reasoning_summary_part.done", { ...at, part });
    this.#send("response.output_item.done", { output_index: index, item });
  }

  #message({ type, content }: { readonly type: "text" | "reset"; readonly content: string }): void {
    this.#endReasoning();
    if (type === "reset") this.#text.replace(content);
    else this.#text.append(content);
    const delta = this.#appended.apply({ type, content });
    if (delta === "") return;
    if (this.#messageIndex === null) this.#beginMessage();
    this.#sendText(delta);
  }

  #beginMessage(): void {
    const { jobId } = this.#options;
    this.#messageIndex = this.#output.length;
    const item = messageItem(jobId, "in_progress", null);
    this.#output.push(item);
    this.#used = HALF;
    if (this.#isUnsure) return;
    this.#send("response.output_item.added", { output_index: this.#messageIndex, item });
    this.#send("response.content_part.added", { ...this.#part(), part: outputText("") });
  }

  #part() {
    const { jobId } = this.#options;
    return { item_id: messageId(jobId), output_index: this.#messageIndex, content_index: 0 };
  }

  #sendText(delta: string): void {
    // The client has a part of it: it gets the whole with the end, and no piece twice.
    if (delta !== "" && !this.#isUnsure)
      this.#send("response.output_text.delta", { ...this.#part(), delta, logprobs: [] });
  }

  #end({ status, usage, finish_reason = null, citations = [], tool_calls = [] }: DoneData): void {
    this.#start();
    this.#endReasoning();
    this.#sendText(this.#messageIndex === null ? "" : this.#appended.end());
    const ending = { status, finishReason: finish_reason, error: this.#error, usage };
    const state = endState(ending, this.#output, null);
    this.#used = SPAN;
    this.#endMessage(state.status === "completed" ? "completed" : "incomplete", citations);
    for (const [at, call] of tool_calls.entries()) this.#call(at, call);
    this.#state = state;
    const type = state.status === "cancelled" ? "incomplete" : state.status;
    this.#send(`response.${type}`, { response: { ...this.#options.head, ...state } });
  }

  #endMessage(status: "completed" | "incomplete", citations: NonNullable<DoneData["citations"]>): void {
    if (this.#messageIndex === null) return;
    const text = `${this.#text}`;
    const annotations = annotationsOf(text, citations);
    const item = messageItem(this.#options.jobId, status, text, annotations);
    this.#output[this.#messageIndex] = item;
    for (const [annotation_index, annotation] of annotations.entries()) {
      this.#send("response.output_text.annotation.added", { ...this.#part(), annotation_index, annotation });
    }
    this.#send("response.output_text.done", { ...this.#part(), text, logprobs: [] });
    this.#send("response.content_part.done", { ...this.#part(), part: item.content[0] });
    this.#send("response.output_item.done", { output_index: this.#messageIndex, item });
  }

  #call(at: number, { call_id, name, arguments: args }: ClientCall): void {
    const output_index = this.#output.length;
    const begun = { id: callItemId(this.#options.jobId, at), type: "function_call" as const, call_id, name };
    const item: OutputItem = { ...begun, status: "completed", arguments: args };
    this.#output.push(item);
    this.#send("response.output_item.added", {
      ...{ output_index, item: { ...begun, status: "in_progress", arguments: "" } },
    });
    const place = { item_id: begun.id, output_index };
    this.#send("response.function_call_arguments.delta", { ...place, delta: args });
    this.#send("response.function_call_arguments.done", { ...place, name, arguments: args });
    this.#send("response.output_item.done", { output_index, item });
  }

  #send(type: string, fields: Fields): void {
    const number = this.#seq * SPAN + this.#used++;
    if (number > this.#options.after) this.#options.send(type, number, fields);
  }
}

type DoneData = DoneEvent["data"];
