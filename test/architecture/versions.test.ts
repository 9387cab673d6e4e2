/** The version stands in one place, the root's package.json; what else names it is held to it here. */
import { VERSION } from "@agent-paas/shared/version.ts";
import { expect, test } from "vitest";
import { readSections } from "../../scripts/release/changelog.ts";
import { listFiles, readSources, readText } from "../support/sources.ts";

const root = JSON.parse(readText("package.json"));
const lock = JSON.parse(readText("package-lock.json"));
/** The examples for other frameworks are no workspaces. */
const workspaces = listFiles("*package.json").filter((file) => file !== "package.json" && !file.includes("/examples/"));

test("no workspace's manifest has a version, and workspaces take each other as they are", () => {
  expect(workspaces.length).toBe(8);
  for (const file of workspaces) {
    const { private: isPrivate, version, dependencies = {}, devDependencies = {} } = JSON.parse(readText(file));
    expect({ file, isPrivate, version }).toEqual({ file, isPrivate: true, version: undefined });
    const own = Object.entries({ ...dependencies, ...devDependencies }).filter(([name]) =>
      name.startsWith("@agent-paas/"),
    );
    expect(own.filter(([, range]) => range !== "*")).toEqual([]);
  }
});

test("the lock file agrees with the manifests", () => {
  expect([lock.version, lock.packages[""].version]).toEqual([root.version, root.version]);
  for (const file of workspaces) {
    const { name, version, dependencies, devDependencies } = lock.packages[file.replace("/package.json", "")];
    const manifest = JSON.parse(readText(file));
    expect({ name, version, dependencies, devDependencies }).toEqual({
      name: manifest.name,
      version: undefined,
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
    });
  }
});

test("the examples for other frameworks name exact versions, and their lock files agree and name no registry", () => {
  const manifests = listFiles("packages/agents/examples/*/package.json");
  expect(manifests.length).toBe(3);
  for (const file of manifests) {
    const { dependencies } = JSON.parse(readText(file));
    expect(Object.values(dependencies).filter((version) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([]);
    const text = readText(file.replace("package.json", "package-lock.json"));
    expect(JSON.parse(text).packages[""].dependencies).toEqual(dependencies);
    expect(text).not.toContain('"resolved"');
  }
});

test("the code reads the version from the root's package.json, by one module", () => {
  expect(VERSION).toBe(root.version);
  const readers = readSources().filter(({ file, own }) => !file.startsWith("test/") && own.includes("package.json"));
  expect(readers.map(({ file }) => file)).toEqual(["packages/shared/src/version.ts"]);
});

test("the changelog's newest released version is the present one, and every version has a date", () => {
  const [, unreleased, ...released] = readSections(readText("CHANGELOG.md"));
  expect(unreleased?.version).toBe("Unreleased");
  expect(released[0]?.version).toBe(root.version);
  expect(released.filter(({ date, body }) => date === null || body === "")).toEqual([]);
});
