/**
 * Which test files `npm run test:postgres` leaves out, and why: they are about the file of SQLite, its handle or its
 * SQL, or about nothing that the database has a part in. All others run on both.
 */
export const SQLITE_ONLY: Readonly<Record<string, string>> = {
  "test/integration/backup.test.ts": "copies the file; for PostgreSQL the command names what to use instead",
  "test/integration/database-outage.test.ts": "locks the file and fills its disk; postgres-outage.test.ts is its like",
  "test/integration/displaced-file.test.ts": "moves the file; storage-postgres.test.ts replaces the database",
  "test/integration/former-version.test.ts": "restores the rows of a version that knew SQLite alone",
  "test/integration/former-version-database.test.ts": "migrates a file of a version that knew SQLite alone",
  "test/integration/history-budget.test.ts": "counts the statements of one handle, and reads SQLite's plans",
  "test/integration/installation.test.ts": "copies and moves the file; the contract has the identity of both",
  "test/integration/migrations.test.ts": "the lock is a file; postgres-migrations.test.ts has PostgreSQL's",
  "test/integration/old-sqlite.test.ts": "the version of SQLite",
  "test/integration/private-database.test.ts": "the rights of the file",
  "test/integration/query-plans.test.ts": "reads SQLite's plans",
  "test/integration/read-only-database.test.ts": "the rights and the pragmas of the file; the contract has both",
  "test/integration/schema.test.ts": "the text of SQLite's schema",
  "test/integration/wal.test.ts": "SQLite's write-ahead log",
  "test/integration/write-batch.test.ts": "locks the file; the contract has batches on both",
  "test/integration/write-queue.test.ts": "damages pages of the file",
};
