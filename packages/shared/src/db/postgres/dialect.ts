/** Knex's dialect of PostgreSQL, changed where its columns and values would differ from SQLite's. */
import { createRequire } from "node:module";
import type { Knex } from "knex";
import { refusal } from "./poolers.ts";
import { encodeValue } from "./texts.ts";

// Knex exports its dialects, and types for none of them.
const Dialect: typeof Knex.Client = createRequire(import.meta.url)("knex/lib/dialects/postgres/index.js");

/**
 * Texts of any length that compare by their bytes, and integers of 64 bits. Ids are texts as well: what is no UUID is
 * then not found, where the type `uuid` would refuse the statement.
 */
const TEXT = 'text collate "C"';
const COLUMN_TYPES = { varchar: TEXT, text: TEXT, uuid: TEXT, integer: "bigint" } as const;

export class PostgresDialect extends Dialect {
  override async acquireRawConnection(): Promise<unknown> {
    try {
      return await super.acquireRawConnection();
    } catch (error) {
      throw refusal(error);
    }
  }

  override columnCompiler(table: unknown, column: unknown): unknown {
    return Object.assign(super.columnCompiler(table, column), COLUMN_TYPES);
  }

  override prepBindings(bindings: unknown): unknown {
    const prepared: unknown = super.prepBindings(bindings);
    return Array.isArray(prepared) ? prepared.map(encodeValue) : prepared;
  }
}
