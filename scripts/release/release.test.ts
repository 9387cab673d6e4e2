import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const CHANGELOG = "# Changelog\n\n## Unreleased\n\n### Added\n\n- News.\n\n## 0.1.0 - 2026-11-22\n\n- The first.\n";

/** A repository with one commit on `main`, and what one can do in it. */
function createRepository({ changelog = CHANGELOG } = {}) {
  const root = mkdtempSync(join(tmpdir(), "agent-paas-release-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, encoding: "utf8" }).trim();
  const write = (file: string, text: string) => writeFileSync(join(root, file), text);
  const read = (file: string) => readFileSync(join(root, file), "utf8");
  const toText = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

  git("init", "--quiet", "--initial-branch=main");
  git("config", "user.name", "Tester");
  git("config", "user.email", "tester@example.com");
  git("config", "commit.gpgsign", "false");
  git("config", "tag.gpgsign", "false");
  const manifest = { name: "thing", version: "0.1.0", workspaces: ["apps/*", "scripts"] };
  write("package.json", toText(manifest));
  write("package-lock.json", toText({ name: "thing", version: "0.1.0", packages: { "": manifest, apps: {} } }));
  write("CHANGELOG.md", changelog);
  git("add", "--all");
  git("commit", "--quiet", "--message", "Begin");

  /** Everything that a release may change. */
  const state = () => ({
    head: git("rev-parse", "HEAD"),
    tags: git("tag", "--list"),
    status: git("status", "--porcelain"),
    files: ["package.json", "package-lock.json", "CHANGELOG.md"].map(read),
  });
  const run = (script: string, ...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, script), ...args], {
      cwd: root,
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };
  return { root, git, write, read, state, release: (...args: string[]) => run("main.ts", ...args), run };
}

test("with --commit the release is one commit with one tag, and nothing is pushed", () => {
  const { git, read, release, run } = createRepository();
  const done = release("0.2.0", "--commit");
  expect(done).toMatchObject({ status: 0, stderr: "" });
  expect(done.stdout).toContain("- News.");
  expect(done.stdout).toContain("git push --atomic origin main v0.2.0");

  expect(git("log", "--format=%s")).toBe("Release 0.2.0\nBegin");
  expect(git("rev-parse", "v0.2.0^{commit}")).toBe(git("rev-parse", "HEAD"));
  expect(git("status", "--porcelain")).toBe("");
  expect(git("show", "--name-only", "--format=", "HEAD").split("\n")).toEqual([
    "CHANGELOG.md",
    "package-lock.json",
    "package.json",
  ]);
  expect(JSON.parse(read("package.json"))).toEqual({
    name: "thing",
    version: "0.2.0",
    workspaces: ["apps/*", "scripts"],
  });
  const lock = JSON.parse(read("package-lock.json"));
  expect([lock.version, lock.packages[""].version, lock.packages.apps.version]).toEqual(["0.2.0", "0.2.0", undefined]);
  expect(read("CHANGELOG.md")).toMatch(/\n## Unreleased\n\n## 0\.2\.0 - \d{4}-\d{2}-\d{2}\n\n### Added\n\n- News\.\n/);

  expect(run("notes.ts", "v0.2.0")).toEqual({ status: 0, stdout: "### Added\n\n- News.\n", stderr: "" });
  expect(release("0.3.0", "--commit")).toMatchObject({ status: 1, stderr: expect.stringContaining("says nothing") });
});

test.each([[["0.2.0"]], [["0.2.0", "--dry-run"]]])("%j says what would be done and changes nothing", (args) => {
  const { state, release } = createRepository();
  const before = state();
  const done = release(...args);
  expect(done).toMatchObject({ status: 0, stderr: "" });
  expect(done.stdout).toContain("- News.");
  expect(done.stdout).toContain("This was a dry run.");
  expect(state()).toEqual(before);
});

type Repository = ReturnType<typeof createRepository>;

test.each<[string, string, (repository: Repository) => unknown]>([
  ["a changed file", "changes that are not committed", ({ write }) => write("CHANGELOG.md", `${CHANGELOG}\n`)],
  ["a new file", "changes that are not committed", ({ write }) => write("new.txt", "")],
  ["another branch", "made on main, and this is feature", ({ git }) => git("switch", "--quiet", "-c", "feature")],
  ["no branch", "made on main, and this is no branch", ({ git }) => git("switch", "--quiet", "--detach")],
  ["a tag of that name", "the tag v0.2.0 exists already", ({ git }) => git("tag", "v0.2.0")],
])("a release refuses with %s: %s", (_, problem, prepare) => {
  const repository = createRepository();
  prepare(repository);
  const before = repository.state();
  for (const mode of ["--dry-run", "--commit"]) {
    expect(repository.release("0.2.0", mode)).toMatchObject({ status: 1, stderr: expect.stringContaining(problem) });
  }
  expect(repository.state()).toEqual(before);
});

test.each([
  ["an empty Unreleased", CHANGELOG.replace("- News.\n", ""), "says nothing under"],
  ["no Unreleased", CHANGELOG.replace("## Unreleased", "## 0.1.1 - 2026-11-23"), "has no heading"],
])("a release refuses with %s", (_, changelog, problem) => {
  const { release, state } = createRepository({ changelog });
  const before = state();
  expect(release("0.2.0", "--commit")).toMatchObject({ status: 1, stderr: expect.stringContaining(problem) });
  expect(state()).toEqual(before);
});

test("a release refuses a version that is not higher, and names every reason at once", () => {
  const { git, release } = createRepository({ changelog: "# Changelog\n" });
  git("switch", "--quiet", "-c", "feature");
  const { status, stderr } = release("0.1.0", "--commit");
  expect(status).toBe(1);
  expect(stderr.trim().split("\n")).toEqual([
    "0.1.0 cannot be released:",
    "- 0.1.0 is not higher than the present version, 0.1.0",
    "- releases are made on main, and this is feature",
    '- CHANGELOG.md has no heading "## Unreleased" above its versions',
  ]);
});

test("a commit that git refuses leaves the files as they were", () => {
  const { root, state, write, release } = createRepository();
  write(".git/hooks/pre-commit", "#!/bin/sh\necho no >&2\nexit 1\n");
  chmodSync(join(root, ".git/hooks/pre-commit"), 0o755);
  const before = state();
  expect(release("0.2.0", "--commit").status).toBe(1);
  expect(state()).toEqual(before);
});

test.each([[[]], [["0.2.0", "0.3.0"]], [["0.2.0", "--commit", "--dry-run"]]])(
  "%j is answered with the usage",
  (args) => {
    const { release } = createRepository();
    expect(release(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining("npm run release -- X.Y.Z") });
  },
);

test("notes are refused for a tag that is not of the version", () => {
  const { run } = createRepository();
  expect(run("notes.ts", "v0.2.0")).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("not that of package.json's version, v0.1.0"),
  });
});
