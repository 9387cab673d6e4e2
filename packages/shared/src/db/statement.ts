/** Compiles queries to SQL. Statements that run for every job are compiled once, and only their values change. */
import type { Query } from "./queries.ts";

export type Statement = {
  readonly sql: string;
  readonly bindings: readonly unknown[];
  /** Of a statement that is compiled once: a server that prepares statements may keep it under this name. */
  readonly name?: string;
};

let prepared = 0;

/** Stands for a value while the SQL is built. */
class Slot<Values> {
  readonly name: keyof Values;
  constructor(name: keyof Values) {
    this.name = name;
  }
}

/**
 * @param build is called once, with placeholders that it may pass to the query and must not look into.
 * @param encode what becomes of each value, as of those that `compile` finds in a query.
 */
export function prepareStatement<Values extends object>(
  build: (values: Values) => Query,
  encode: (value: unknown) => unknown = (value) => value,
): (values: Values) => Statement {
  const slots = new Proxy({} as Values, { get: (_, name) => new Slot<Values>(name as keyof Values) });
  const { sql, bindings } = compile(build(slots));
  const name = `s${++prepared}`;
  const bound = (binding: unknown, values: Values): unknown =>
    binding instanceof Slot ? encode(values[(binding as Slot<Values>).name]) : binding;
  return (values) => ({ sql, name, bindings: bindings.map((binding) => bound(binding, values)) });
}

export const compile = (query: Query): Statement => query.toSQL().toNative();
