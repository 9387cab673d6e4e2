/** Vendors' types are seams: each vendor is known to the folders that adapt it, and to nobody else. */
import { expect, test } from "vitest";
import { readSources } from "../support/sources.ts";

/** The examples for other frameworks are users' code, with packages of their own. */
const isExample = (file: string) => /^packages\/agents\/examples\/[^/]+\//.test(file);
const product = readSources().filter(
  ({ file }) => /^(apps|packages)\//.test(file) && !file.endsWith(".test.ts") && !isExample(file),
);

test.each<[vendor: string, rooms: readonly RegExp[]]>([
  ["ioredis", [/^packages\/shared\/src\/redis\//]],
  ["knex", [/^packages\/shared\/src\/db\//]],
  ["better-sqlite3", [/^packages\/shared\/src\/db\/sqlite\//]],
  ["pg", [/^packages\/shared\/src\/db\/postgres\//]],
  [
    "bullmq",
    [
      /^apps\/api\/src\/queue\/queues\.ts$/,
      /^apps\/worker\/src\/(queue|recovery|compose)\//,
      /^apps\/worker\/src\/job\/(lease|job-queues|job-processor)\.ts$/,
    ],
  ],
  ["express", [/^apps\/api\/src\/(http|doors)\//, /^apps\/api\/src\/(app\.ts|compose\/)/]],
  ["openai", [/^packages\/agents\/src\/model\/openai\//]],
  ["pdfjs-dist", [/^packages\/agents\/src\/documents\//]],
  ["mammoth", [/^packages\/agents\/src\/documents\//]],
  ["htmlparser2", [/^packages\/agents\/src\/documents\//]],
  ["papaparse", [/^packages\/agents\/src\/documents\//]],
  ["chardet", [/^packages\/agents\/src\/documents\//]],
  ["fflate", [/^packages\/agents\/src\/documents\//]],
  ["chromadb", [/^packages\/agents\/src\/retrieval\/chroma-store\.ts$/]],
])("%s is imported in its own folders only", (vendor, rooms) => {
  const outside = product
    .filter(({ packages }) => packages.includes(vendor))
    .map(({ file }) => file)
    .filter((file) => !rooms.some((room) => room.test(file)));
  expect(outside).toEqual([]);
});

test("only the lease knows lock tokens and the errors by which BullMQ learns that a job has moved", () => {
  const knowing = product.filter(({ text }) => /moveToDelayed|moveToWait|DelayedError|WaitingError/.test(text));
  expect(knowing.map(({ file }) => file)).toEqual(["apps/worker/src/job/lease.ts"]);
});

test("only the session queue's codec takes its entries apart", () => {
  const splitting = product.filter(({ text }) => /\.split\(":"\)/.test(text) && /entry/i.test(text));
  expect(splitting.map(({ file }) => file)).toEqual(["packages/shared/src/redis/session-queue.ts"]);
});

test("the base path of the native wire is spelt in one file of the API", () => {
  const spelling = product.filter(({ file, text }) => file.startsWith("apps/api/") && text.includes("/api/v1"));
  expect(spelling.map(({ file }) => file)).toEqual(["apps/api/src/doors/platform/base-path.ts"]);
});
