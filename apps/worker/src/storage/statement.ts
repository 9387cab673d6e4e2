/** Statements that run for every job: Knex builds their SQL once, and only the values change. */
import type { Knex } from "knex";

export type Statement = { readonly sql: string; readonly bindings: readonly unknown[] };

/** Stands for a value while the SQL is built. */
class Slot<Values> {
  readonly name: keyof Values;
  constructor(name: keyof Values) {
    this.name = name;
  }
}

/** @param build is called once, with values that may be passed on and nothing else. */
export function prepareStatement<Values extends object>(
  build: (values: Values) => Knex.QueryBuilder,
): (values: Values) => Statement {
  const slots = new Proxy({} as Values, { get: (_, name) => new Slot<Values>(name as keyof Values) });
  const { sql, bindings } = compile(build(slots));
  return (values) => ({
    sql,
    bindings: bindings.map((binding) => (binding instanceof Slot ? values[(binding as Slot<Values>).name] : binding)),
  });
}

export const compile = (query: Knex.QueryBuilder): Statement => query.toSQL().toNative();
