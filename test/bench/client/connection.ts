/**
 * The connection of one client: one request at a time, kept alive between requests, reopened if the server closed it.
 */
import { connect, type Socket } from "node:net";
import { MINUTE } from "@agent-paas/shared/time.ts";
import { LOOPBACK } from "../../../scripts/services/ports.ts";
import { ResponseReader } from "./response-reader.ts";

/** Longer than any silence that a scenario plans. */
const SILENT_FOR_MS = 2 * MINUTE;

/** Receives the body in pieces, decoded as latin1. */
type OnBody = (piece: string) => void;

type Pending = { readonly onBody: OnBody; resolve(status: number): void; reject(error: Error): void };

export class Connection {
  readonly #port: number;
  #socket: Socket | undefined;
  #pending: Pending | undefined;
  #status = 0;

  constructor(port: number) {
    this.#port = port;
  }

  /** Resolves to the status when the response has ended; rejects when it breaks off. */
  request(bytes: string, onBody: OnBody): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#pending = { onBody, resolve, reject };
      this.#socket ??= this.#open();
      this.#socket.write(bytes);
    });
  }

  close(): void {
    this.#socket?.destroy();
  }

  #open(): Socket {
    const socket = connect({ port: this.#port, host: LOOPBACK, noDelay: true });
    const reader = new ResponseReader({
      status: (code) => {
        this.#status = code;
      },
      body: (piece) => this.#pending?.onBody(piece),
      end: () => {
        const pending = this.#pending;
        this.#pending = undefined;
        pending?.resolve(this.#status);
      },
    });
    socket.on("data", (bytes: Buffer) => reader.push(bytes.toString("latin1")));
    socket.setTimeout(SILENT_FOR_MS, () => socket.destroy(new Error(`no data for ${SILENT_FOR_MS} ms`)));
    socket.on("error", (error) => this.#lost(socket, error));
    socket.on("close", () => this.#lost(socket, new Error("the connection was closed")));
    return socket;
  }

  #lost(socket: Socket, error: Error): void {
    if (this.#socket === socket) this.#socket = undefined;
    this.#pending?.reject(error);
    this.#pending = undefined;
  }
}
