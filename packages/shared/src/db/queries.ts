/**
 * How repositories and readers say what they ask of the database: Knex's query builder without Knex's client. These
 * aliases are the only names of Knex that leave this folder.
 */
import type { Knex } from "knex";
import type { Rows, TableName } from "./rows.ts";

/** A query of any shape, to be compiled or to be part of another query. */
export type Query = Knex.QueryBuilder;

/** A piece of SQL with bound values, to stand where a query takes a value, a column or a target. */
export type Expression = Knex.Raw;

/** What an expression may bind: values, and other expressions and queries as parts. */
export type Binding = string | number | null | Query | Expression;

export const queryTables =
  (db: Knex) =>
  <Name extends TableName>(name: Name) =>
    db<Rows[Name]>(name);

/** Starts a query on a table, typed by its rows. Awaiting the query runs it; a batch runs it with others. */
export type Table = ReturnType<typeof queryTables>;

/** Where databases differ, or where the builder has no word for it. */
export type Sql = {
  expression(sql: string, bindings?: readonly Binding[]): Expression;
  /** In a prepared read: whether the column is one of the texts, which are one bound value however many they are. */
  isOneOf(column: string, texts: string[]): Expression;
  /** A bound value whose content does not change the plan, so a prepared statement keeps its plan for every value. */
  hideFromPlanner(value: string): Expression;
  /**
   * Where the column has the text, in characters from 1; 0: nowhere. Its ASCII letters count as lower case, and the
   * text is in lower case.
   */
  positionOf(column: string, text: string): Expression;
  /** For `onConflict`: the unique index on `columns` that holds only the rows with `condition`, a literal. */
  partialIndex(columns: readonly string[], condition: string): Expression;
  /** Inserts what `rows` selects, whose columns are `columns` in this order. */
  insertFrom(table: TableName, columns: readonly string[], rows: Query): Query;
};

/** What a migration works with. Each access to `schema` starts a new builder, so it must not be kept. */
export type Schema = Pick<Knex, "schema" | "raw">;
