import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { NODE_FLAGS } from "./node-flags.ts";

const read = (file: string) => readFileSync(join(import.meta.dirname, "../..", file), "utf8");

test("the image and the npm scripts start processes with the same flags", () => {
  const flags = NODE_FLAGS.join(" ");
  const { scripts } = JSON.parse(read("package.json"));
  for (const role of ["api", "worker"]) expect(scripts[`start:${role}`]).toContain(`node ${flags} `);
  expect(read("Dockerfile")).toContain(`NODE_OPTIONS=${flags}`);
});
