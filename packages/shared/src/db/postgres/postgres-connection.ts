import type { Duplex } from "node:stream";
import type pg from "pg";

/** What the platform uses of a connection of pg. */
export type PostgresConnection = Pick<pg.Client, "query"> & {
  /** The number of the server's process, as the server or a pooler before it gave it. */
  readonly processID: number;
  /** False while an answer is due. */
  readonly readyForQuery: boolean;
  readonly connection: { readonly stream: Duplex & { readonly bytesRead: number } };
  /** Knex drops a connection with a reason instead of lending it again. */
  __knex__disposed?: unknown;
};
