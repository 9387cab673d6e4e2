/** The option `--database` of the chaos suite and the benchmark. */
export const DATABASE_KINDS = ["sqlite", "postgres"] as const;
export type DatabaseKind = (typeof DATABASE_KINDS)[number];

export function readDatabaseKind(text: string): DatabaseKind {
  const kind = DATABASE_KINDS.find((known) => known === text);
  if (kind === undefined) throw new Error(`--database: '${text}' is none of ${DATABASE_KINDS.join(", ")}`);
  return kind;
}
