/**
 * JSON bodies of clients that send a whole chat with every request. The session has the chat already: of `messages`,
 * what stands before the assistant's last message and the question to it is not looked at. It is dropped while the body
 * arrives, so a chat with many images may be far larger than what a request may bring, and holds no memory (I9).
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { reviveBody } from "@agent-paas/shared/json/exact-json.ts";
import type { Request, RequestHandler } from "express";
import { measuredJson, noteSize } from "./body-size.ts";

export type ChatBodyLimits = {
  /** What may be kept of a body, bytes. */
  readonly limit: number;
  /** Bounds what parsing costs. */
  readonly mostValues: number;
};

/** How many times larger than what is kept of it a body may be. */
const LONGEST = 8;

/** `limits`: of what is new. A smaller body is read in the usual way. */
export function chatJson(limits: ChatBodyLimits): RequestHandler {
  const { limit, mostValues } = limits;
  const parse = measuredJson(limit, mostValues);
  return (req, res, next) => {
    const { "content-length": length = "0", "content-encoding": encoding = "identity" } = req.headers;
    if (Number(length) <= limit || Number(length) > LONGEST * limit || encoding !== "identity") {
      parse(req, res, next);
      return;
    }
    noteSize(req, Number(length));
    readChat(req, limits).then((body) => {
      req.body = body;
      next();
    }, next);
  };
}

async function readChat(req: Request, limits: ChatBodyLimits): Promise<unknown> {
  const chat = new ChatBody(limits);
  let refused: unknown = null;
  try {
    for await (const chunk of req) {
      if (refused !== null) continue;
      try {
        chat.push(chunk as Buffer);
      } catch (error) {
        // The client hears it when it has sent all, as of every body.
        refused = error;
      }
    }
  } catch {
    throw new PlatformError("invalid_json");
  }
  if (refused !== null) throw refused;
  return chat.end();
}

const [QUOTE, BACKSLASH, COMMA, COLON] = Buffer.from('"\\,:');
const [OPEN_BRACE, CLOSE_BRACE, OPEN_BRACKET, CLOSE_BRACKET] = Buffer.from("{}[]");

/** Longer texts are neither a name nor a role that matters. */
const MOST_NAME = 10;
/** Stands for a message in what is kept of the rest. */
const PLACE = Buffer.from("0");

type Message = { readonly role: string; readonly pieces: readonly Buffer[]; readonly bytes: number };

/** Reads a body piece by piece. Throws `payload_too_large` and `invalid_json`. */
export class ChatBody {
  readonly #limits: ChatBodyLimits;
  readonly #rest: Buffer[] = [];
  #messages: Message[] = [];
  /** The message that arrives, and how much of it has. */
  #message: Buffer[] | null = null;
  #arrived = 0;
  #role = "";
  /** Of the messages before and of the rest, bytes. */
  #kept = 0;
  #values = 0;
  #depth = 0;
  #isInText = false;
  #isEscaped = false;
  #isInMessages = false;
  /** The last text of the object that is open, and the last one that a value follows. */
  #text = "";
  #name = "";

  constructor(limits: ChatBodyLimits) {
    this.#limits = limits;
  }

  push(chunk: Buffer): void {
    const quotes = new Finder(chunk, QUOTE);
    const backslashes = new Finder(chunk, BACKSLASH);
    let taken = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (this.#isInText) {
        at = this.#passText(chunk, at, quotes, backslashes);
        continue;
      }
      const byte = chunk[at];
      if (byte === QUOTE) {
        this.#isInText = true;
        this.#text = "";
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        if (byte === OPEN_BRACE && this.#isInMessages && this.#depth === 2) {
          this.#take(chunk.subarray(taken, at));
          this.#rest.push(PLACE);
          this.#message = [];
          taken = at;
        } else if (byte === OPEN_BRACKET && this.#depth === 1 && this.#name === "messages") {
          this.#isInMessages = true;
          // Of two fields of one name, the last one counts.
          this.#messages = [];
        }
        this.#depth++;
        this.#values++;
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        this.#depth--;
        this.#name = "";
        if (this.#depth === 1) this.#isInMessages = false;
        if (this.#depth === 2 && this.#message !== null) {
          this.#take(chunk.subarray(taken, at + 1));
          taken = at + 1;
          this.#endMessage(this.#message);
        }
      } else if (byte === COLON) {
        this.#name = this.#text;
        this.#values++;
      } else if (byte === COMMA) {
        this.#name = "";
        this.#values++;
      }
    }
    this.#take(chunk.subarray(taken));
  }

  end(): unknown {
    if (this.#message !== null) throw new PlatformError("invalid_json");
    const body = parse(this.#rest);
    const { messages } = (body ?? {}) as { messages?: unknown };
    if (!Array.isArray(messages)) return body;
    const kept = this.#messages.map(({ role, pieces }) => (pieces.length === 0 ? { role } : parse(pieces))).values();
    return { ...(body as object), messages: messages.map((one) => (one === 0 ? kept.next().value : one)) };
  }

  /** Returns where the text ends in the chunk, or the chunk's end. */
  #passText(chunk: Buffer, from: number, quotes: Finder, backslashes: Finder): number {
    let at = this.#isEscaped ? from + 1 : from;
    for (;;) {
      const [quote, backslash] = [quotes.from(at), backslashes.from(at)];
      if (quote <= backslash) {
        at = quote;
        break;
      }
      at = backslash + 2;
    }
    this.#isEscaped = at > chunk.length;
    this.#isInText = at >= chunk.length;
    if (this.#text.length < MOST_NAME) this.#text += chunk.toString("latin1", from, Math.min(at, from + MOST_NAME));
    if (!this.#isInText && this.#depth === 3 && this.#name === "role") this.#role = this.#text;
    return at;
  }

  #take(bytes: Buffer): void {
    // A copy: a few bytes would hold all of their chunk.
    if (bytes.length > 0) (this.#message ?? this.#rest).push(Buffer.from(bytes));
    if (this.#message === null) this.#kept += bytes.length;
    else this.#arrived += bytes.length;
    this.#assertFits();
  }

  #assertFits(): void {
    const { limit, mostValues } = this.#limits;
    if (this.#kept > limit || this.#arrived > limit || this.#values > mostValues) {
      throw new PlatformError("payload_too_large");
    }
  }

  #endMessage(pieces: readonly Buffer[]): void {
    const role = this.#role;
    if (role === "assistant") this.#dropAnswered();
    this.#messages.push({ role, pieces, bytes: this.#arrived });
    this.#kept += this.#arrived;
    this.#message = null;
    this.#arrived = 0;
    this.#role = "";
    this.#assertFits();
  }

  /** All up to the last message of the user: the assistant has spoken since. Who spoke stays known. */
  #dropAnswered(): void {
    for (let at = this.#messages.findLastIndex(({ role }) => role === "user"); at >= 0; at--) {
      const { role, pieces, bytes } = this.#messages[at] as Message;
      if (pieces.length === 0) return;
      this.#kept -= bytes;
      this.#messages[at] = { role, pieces: [], bytes: 0 };
    }
  }
}

/** Finds a byte again and again, and looks at each place of a chunk once. */
class Finder {
  readonly #chunk: Buffer;
  readonly #byte: number | undefined;
  #at = -1;

  constructor(chunk: Buffer, byte: number | undefined) {
    this.#chunk = chunk;
    this.#byte = byte;
  }

  /** The chunk's length if there is none. */
  from(at: number): number {
    if (this.#at < at) {
      const found = at < this.#chunk.length ? this.#chunk.indexOf(this.#byte as number, at) : -1;
      this.#at = found < 0 ? Math.max(at, this.#chunk.length) : found;
    }
    return this.#at;
  }
}

function parse(pieces: readonly Buffer[]): unknown {
  try {
    return JSON.parse(Buffer.concat(pieces).toString(), reviveBody);
  } catch (error) {
    if (error instanceof SyntaxError && error.name === "SyntaxError") throw new PlatformError("invalid_json");
    throw error;
  }
}
