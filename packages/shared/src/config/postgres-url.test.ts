import { expect, test } from "vitest";
import { databasePlace, databaseUrlProblem, secretsOfDatabaseUrl } from "./database-url.ts";
import { postgresAddress } from "./postgres-url.ts";

const PEM = import.meta.filename;

test.each<[url: string, address: object]>([
  [
    "postgres://alice:s%40crt@db.example:5433/agents",
    { host: "db.example", port: 5433, user: "alice", password: "s@crt", database: "agents", sslMode: "disable" },
  ],
  ["postgresql://alice@db/agents", { host: "db", port: 5432, user: "alice", password: undefined, database: "agents" }],
  ["POSTGRES://alice@db/my%20agents", { database: "my agents" }],
  ["postgres://alice@[::1]:6000/agents", { host: "::1", port: 6000 }],
  ["postgres://al%2Fice@localhost/agents?host=/run/postgresql", { host: "/run/postgresql", user: "al/ice" }],
  ["postgres://alice@db/agents?sslmode=require", { sslMode: "require", sslFiles: {} }],
  [
    `postgres://alice@db/agents?sslmode=verify-full&sslrootcert=system&sslcert=${PEM}&sslkey=${PEM}`,
    { sslMode: "verify-full", sslFiles: { ca: "system", cert: PEM, key: PEM } },
  ],
  ["postgres://alice@db/agents?application_name=mine", { applicationName: "mine" }],
])("the database URL %s is read as libpq reads it", (url, address) => {
  expect(databaseUrlProblem(url)).toBeNull();
  expect(postgresAddress(url)).toMatchObject(address);
});

test.each<[url: string, problem: string]>([
  ["postgres://db/agents", "no user"],
  ["postgres://alice@db", "no database"],
  ["postgres://alice@db/", "no database"],
  ["postgres:alice", "expected postgres://"],
  ["postgres://", "no user"],
  ["postgres://alice:se#cret@db/agents", "expected postgres://"],
  ["postgres://alice:%zz@db/agents", "expected postgres://"],
  ["postgres://alice@db1,db2/agents?x", '"x"'],
  ["postgres://alice@db1:1,db2:2/agents", "expected postgres://"],
  ["postgres://alice@/agents", "expected postgres://"],
  ["postgres://alice@db/agents?host=/run", "a host and the parameter host"],
  ["postgres://alice@localhost/agents?host=db", "folder of a Unix socket"],
  ["postgres://alice@db/agents#x", "fragment"],
  ["postgres://alice@db/agents?ssl=true", '"ssl"'],
  ["postgres://alice@db/agents?target_session_attrs=read-write", '"target_session_attrs"'],
  ["postgres://alice@db/agents?sslmode=prefer", "sslmode is one of"],
  ["postgres://alice@db/agents?sslmode=require&sslmode=disable", "occurs twice"],
  ["postgres://alice@db/agents?sslmode=", "is empty"],
  ["postgres://alice@db/agents?sslrootcert=/etc/ca.pem", "no effect without an sslmode"],
  ["postgres://alice@db/agents?sslmode=verify-ca", "needs sslrootcert"],
  ["postgres://alice@db/agents?sslmode=verify-full&sslrootcert=/no/such/file", "cannot be read"],
  [`postgres://alice@db/agents?sslmode=require&sslcert=${PEM}`, "belong together"],
])("the database URL %s is refused: %s", (url, problem) => {
  expect(databaseUrlProblem(url)).toContain(problem);
});

test("no problem, no place and no log shows the password of a database URL", () => {
  const url = "postgres://alice:s%40crt%21@db/agents";
  expect(databasePlace(url)).toBe("postgres://db:5432/agents");
  expect(secretsOfDatabaseUrl(url)).toEqual(["s%40crt%21", "s@crt!"]);
  expect(databaseUrlProblem(`${url}?nonsense=1`)).not.toContain("crt");
});
