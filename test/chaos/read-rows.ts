/** Reads the database of a run as anybody may, and not through the product. */
import { DatabaseSync } from "node:sqlite";
import pg from "pg";

/** The rows of a query that both databases understand. */
export async function readRows<Row>(url: string, sql: string): Promise<Row[]> {
  if (url.startsWith("postgres:")) {
    const client = await connectTo(url);
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }
  const db = new DatabaseSync(url, { readOnly: true });
  try {
    return db.prepare(sql).all() as Row[];
  } finally {
    db.close();
  }
}

const { INT8 } = pg.types.builtins;

/** Numbers of 64 bits are numbers as those of SQLite. */
const getTypeParser: pg.CustomTypesConfig["getTypeParser"] = (oid, format) =>
  oid === INT8 && format !== "binary" ? Number : pg.types.getTypeParser(oid, format);

export async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, types: { getTypeParser } });
  client.on("error", () => {});
  await client.connect();
  return client;
}
