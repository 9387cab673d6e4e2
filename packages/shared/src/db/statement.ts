/** Compiles queries to SQL. Statements that run for every job are compiled once, and only their values change. */
import type { Query } from "./queries.ts";

export type Statement = { readonly sql: string; readonly bindings: readonly unknown[] };

/** Stands for a value while the SQL is built. */
class Slot<Values> {
  readonly name: keyof Values;
  constructor(name: keyof Values) {
    this.name = name;
  }
}

/** @param build is called once, with placeholders that it may pass to the query and must not look into. */
export function prepareStatement<Values extends object>(
  build: (values: Values) => Query,
): (values: Values) => Statement {
  const slots = new Proxy({} as Values, { get: (_, name) => new Slot<Values>(name as keyof Values) });
  const { sql, bindings } = compile(build(slots));
  return (values) => ({
    sql,
    bindings: bindings.map((binding) => (binding instanceof Slot ? values[(binding as Slot<Values>).name] : binding)),
  });
}

export const compile = (query: Query): Statement => query.toSQL().toNative();
