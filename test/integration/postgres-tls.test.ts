/**
 * The parameters of TLS in `DATABASE_URL` do what they say. The certificates of test/fixtures/postgres-tls are valid
 * for a hundred years, of an authority whose key was thrown away: the server's for localhost, the client's for the role
 * `certain`.
 */
import { chmod, copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { databaseUrlProblem } from "@agent-paas/shared/config/database-url.ts";
import { openReadStorage, openStorage } from "@agent-paas/shared/db/open-storage.ts";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { migrate } from "../../apps/worker/src/storage/migrate.ts";
import { type PostgresServer, queryOn, startPostgres } from "../support/postgres.ts";
import { ROOT } from "../support/sources.ts";

const FILES = join(ROOT, "test/fixtures/postgres-tls");
const [CA, OTHER_CA] = ["ca.pem", "other-ca.pem"].map((name) => join(FILES, name));
const CLIENT = `sslcert=${join(FILES, "client.pem")}&sslkey=${join(FILES, "client.key")}`;

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres({
    settings: ["ssl=on", "ssl_cert_file=server.pem", "ssl_key_file=server.key", "ssl_ca_file=ca.pem"],
    async prepare(dataDir, giveAway) {
      for (const name of ["server.pem", "server.key", "ca.pem"]) {
        const file = join(dataDir, name);
        await copyFile(join(FILES, name), file);
        await chmod(file, 0o600);
        giveAway(file);
      }
      const rules = [
        "host all postgres all trust",
        "hostssl all certain all cert",
        "hostssl all encrypted all trust",
        "hostssl all secret all scram-sha-256",
      ];
      await writeFile(join(dataDir, "pg_hba.conf"), `${rules.join("\n")}\n`);
    },
  });
  await queryOn(server.url, "create role certain login superuser");
  await queryOn(server.url, "create role encrypted login superuser");
  await queryOn(server.url, "create role secret login superuser password 'p@ss/wörd#'");
  const storage = openStorage(server.url);
  await migrate(storage);
  await storage.close();
});
afterAll(() => server.stop());

const urlOf = (role: string, parameters: string, host = "localhost") =>
  `postgres://${role}@${host}:${server.port}/postgres${parameters}`;

/** Whether a worker reads and writes, and an API reads, over TLS or not; or the error. */
async function use(url: string): Promise<string> {
  expect(databaseUrlProblem(url)).toBeNull();
  const [storage, readStorage] = [openStorage(url, 1), openReadStorage(url)];
  onTestFinished(async () => {
    await Promise.all([storage.close(), readStorage.close()]);
  });
  try {
    await storage.write([{ query: storage.table("sessions").delete() }]);
    const secured = storage.sql.expression("(select ssl from pg_stat_ssl where pid = pg_backend_pid())::text as ssl");
    const [row] = (await storage.table("installation").select(secured)) as unknown as { ssl: string }[];
    expect(await readStorage.installation()).toBe(await storage.installation());
    return row?.ssl === "true" ? "encrypted" : "plain";
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } };
    return String(cause?.code ?? error);
  }
}

test.each<[what: string, url: () => string, outcome: string | RegExp]>([
  ["no sslmode, to a server that wants none", () => urlOf("postgres", ""), "plain"],
  ["no sslmode, to a server that wants TLS", () => urlOf("encrypted", ""), "28000"],
  ["disable, to a server that wants TLS", () => urlOf("encrypted", "?sslmode=disable"), "28000"],
  ["require, whoever the server is", () => urlOf("encrypted", "?sslmode=require", "127.0.0.1"), "encrypted"],
  ["require with an authority", () => urlOf("encrypted", `?sslmode=require&sslrootcert=${CA}`), "encrypted"],
  ["require with another authority", () => urlOf("encrypted", `?sslmode=require&sslrootcert=${OTHER_CA}`), /CERT|SIGN/],
  ["verify-ca", () => urlOf("encrypted", `?sslmode=verify-ca&sslrootcert=${CA}`, "127.0.0.1"), "encrypted"],
  [
    "verify-ca of another authority",
    () => urlOf("encrypted", `?sslmode=verify-ca&sslrootcert=${OTHER_CA}`),
    /CERT|SIGN/,
  ],
  ["verify-full", () => urlOf("encrypted", `?sslmode=verify-full&sslrootcert=${CA}`), "encrypted"],
  [
    "verify-full under another name",
    () => urlOf("encrypted", `?sslmode=verify-full&sslrootcert=${CA}`, "127.0.0.1"),
    /ALTNAME/,
  ],
  ["verify-full by public authorities", () => urlOf("encrypted", "?sslmode=verify-full"), /CERT|SIGN/],
  [
    "a certificate of the client",
    () => urlOf("certain", `?sslmode=verify-full&sslrootcert=${CA}&${CLIENT}`),
    "encrypted",
  ],
  ["a client without its certificate", () => urlOf("certain", `?sslmode=verify-full&sslrootcert=${CA}`), "28000"],
  ["a password", () => urlOf("secret:p%40ss%2Fw%C3%B6rd%23", "?sslmode=require"), "encrypted"],
  ["a wrong password", () => urlOf("secret:wrong", "?sslmode=require"), "28P01"],
])("%s: the URL does what it says", async (_, url, outcome) => {
  if (typeof outcome === "string") expect(await use(url())).toBe(outcome);
  else expect(await use(url())).toMatch(outcome);
});
