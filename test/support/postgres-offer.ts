/**
 * Starts the shared PostgreSQL when the first test file asks for it: test files run in threads and processes of their
 * own, so they ask over HTTP.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type PostgresServer, startPostgres } from "./postgres.ts";

export async function offerPostgres(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  let starting: Promise<Pick<PostgresServer, "url" | "stop">> | null = null;
  const server = createServer(async (_, response) => {
    try {
      const given = process.env.TEST_DATABASE_URL;
      starting ??= given ? Promise.resolve({ url: given, stop: async () => {} }) : startPostgres();
      response.end((await starting).url);
    } catch (error) {
      response.writeHead(500).end((error as Error).stack);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.close();
      await (await starting?.catch(() => null))?.stop();
    },
  };
}
