import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startChroma } from "./chroma-server.ts";

test("a killed Chroma returns on the same port with its collections, and its banner is filtered out", async () => {
  const dir = await mkdtemp(join(tmpdir(), "chroma-test-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const lines: string[] = [];
  const server = await startChroma({ dir, onLine: (line) => lines.push(line) });
  onTestFinished(() => server.stop());
  const collections = `${server.url}/api/v2/tenants/default_tenant/databases/default_database/collections`;
  const made = await fetch(collections, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "kept" }),
  });
  expect(made.status).toBe(200);

  await server.kill();
  await expect(fetch(collections)).rejects.toThrow();
  await server.start();
  expect(await (await fetch(collections)).json()).toMatchObject([{ name: "kept" }]);

  expect(lines.join("\n")).toContain(dir);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours must not appear.
  expect(lines.filter((line) => /\x1b|\(\(\(|Cloud/.test(line))).toEqual([]);
});

test("the next start removes the files of deleted collections and keeps the files of existing ones", async () => {
  const dir = await mkdtemp(join(tmpdir(), "chroma-test-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const server = await startChroma({ dir });
  const collections = `${server.url}/api/v2/tenants/default_tenant/databases/default_database/collections`;
  const send = (path: string, method: string, body?: object) =>
    fetch(collections + path, {
      method,
      headers: { "content-type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
  for (const name of ["kept", "deleted"]) {
    const { id } = (await (await send("", "POST", { name })).json()) as { id: string };
    await send(`/${id}/add`, "POST", { ids: ["1"], embeddings: [[1, 2, 3]], documents: ["a"] });
    await send(`/${id}/query`, "POST", { query_embeddings: [[1, 2, 3]], n_results: 1 });
  }
  await send("/deleted", "DELETE");
  const folders = async () => (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  expect(await folders()).toHaveLength(2);
  await server.stop();

  const again = await startChroma({ dir });
  onTestFinished(() => again.stop());
  expect(await folders()).toHaveLength(1);
  const restarted = collections.replace(server.url, again.url);
  expect(await (await fetch(restarted)).json()).toMatchObject([{ name: "kept" }]);
});
