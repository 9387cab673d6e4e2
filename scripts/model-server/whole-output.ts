/**
 * An answer as one JSON document (stream: false). It takes as long as a stream and has the same faults where they
 * apply; each method describes what a client sees.
 */
import type { ServerResponse } from "node:http";
import { BROKEN_JSON, type Head, MIDSTREAM_ERROR, type Output, type Usage } from "./output.ts";
import type { FinishReason, Piece } from "./reply.ts";

type WholeToolCall = {
  id: string;
  type: "function";
  function: { name: string; arguments: string };
};

export class WholeOutput implements Output {
  readonly #response: ServerResponse;
  readonly #head: Head;
  readonly #toolCalls: WholeToolCall[] = [];
  #content = "";

  constructor(response: ServerResponse, head: Head) {
    this.#response = response;
    this.#head = head;
  }

  piece(piece: Piece): void {
    if (typeof piece === "string") {
      this.#content += piece;
    } else if ("id" in piece) {
      this.#toolCalls[piece.index] = { id: piece.id, type: piece.type, function: { ...piece.function } };
    } else {
      const call = this.#toolCalls[piece.index];
      if (call) call.function.arguments += piece.function.arguments;
    }
  }

  flush(): true {
    return true;
  }

  drained(resume: () => void): void {
    resume();
  }

  finish(reason: FinishReason | null, usage: () => Usage): void {
    this.#begin();
    this.#response.end(JSON.stringify(this.#completion(reason, usage())));
  }

  /** Sends the document with `finish_reason: null`. */
  finishUnmarked(usage: () => Usage): void {
    this.finish(null, usage);
  }

  /** Sends headers without a body: a timeout that covers only the headers does not notice. */
  stall(): void {
    this.#begin();
    this.#response.flushHeaders();
  }

  /** Sends half a document with a 200. */
  malformed(): false {
    this.#begin();
    this.#response.end(BROKEN_JSON);
    return false;
  }

  /** Sends a 200 with an error as its body. */
  error(): void {
    this.#begin();
    this.#response.end(JSON.stringify(MIDSTREAM_ERROR));
  }

  /** Sends an empty line before the document, as some providers do while a request waits. */
  keepAlive(): void {
    this.#begin();
    this.#response.write("\n");
  }

  /** Sends half a document, then closes the connection. */
  cut(): void {
    this.#begin();
    this.#response.write(BROKEN_JSON);
    this.#response.socket?.destroySoon();
  }

  #begin(): void {
    if (!this.#response.headersSent) this.#response.writeHead(200, { "content-type": "application/json" });
  }

  #completion(reason: FinishReason | null, usage: Usage): unknown {
    const { id, created, model } = this.#head;
    const calls = this.#toolCalls;
    const message = {
      role: "assistant",
      content: calls.length > 0 && this.#content === "" ? null : this.#content,
      ...(calls.length > 0 && { tool_calls: calls }),
    };
    const choices = [{ index: 0, message, logprobs: null, finish_reason: reason }];
    return { id, object: "chat.completion", created, model, choices, usage };
  }
}
