/** What carries the project on: the contributor's documents and CI name only what there is, and keep to their rules. */
import { describe, expect, test } from "vitest";
import { listFiles, readSources, readText } from "../support/sources.ts";

const { scripts, workspaces } = JSON.parse(readText("package.json"));
const WORKFLOWS = listFiles(".github/workflows/*.yml");
const DOCUMENTS = ["CONTRIBUTING.md", "SECURITY.md", ".github/pull_request_template.md", ".github/dependabot.yml"];

test.each([...DOCUMENTS, ...WORKFLOWS])("%s names only npm scripts and test projects that exist", (file) => {
  const text = readText(file);
  const named = [...text.matchAll(/npm run (?:--silent )?([\w:]+)/g)].map(([, name = ""]) => name);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
  const projects = [...text.matchAll(/--project ([\w-]+)/g)].map(([, name = ""]) => name);
  expect(projects.filter((name) => !readText("vitest.config.ts").includes(`name: "${name}"`))).toEqual([]);
});

test.each(DOCUMENTS)("%s names only files that exist", (file) => {
  const text = readText(file);
  const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, path = ""]) => path);
  const roots = ["test", "scripts", ...workspaces.map((each: string) => each.replace("/*", ""))].join("|");
  const paths = [...text.matchAll(new RegExp(`(?:${roots})/[\\w./-]*\\w`, "g"))].map(([path]) => path);
  expect([...links, ...paths].filter((path) => listFiles(path).length === 0)).toEqual([]);
});

describe.each(WORKFLOWS)("%s", (file) => {
  const text = readText(file);

  test("a workflow may only read unless a job says more, and bounds each job's time", () => {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n/m);
    expect(text).toMatch(/^concurrency:\n {2}group: /m);
    const count = (word: RegExp) => text.match(word)?.length;
    expect(count(/^ {4}timeout-minutes: \d+$/gm)).toBe(count(/^ {4}runs-on: /gm));
  });

  test("a workflow pins every action to a major version, and gives no step the token of the checkout", () => {
    const actions = [...text.matchAll(/uses: (\S+)/g)].map(([, action = ""]) => action);
    expect(actions.filter((action) => !/@v\d+$/.test(action))).toEqual([]);
    const checkouts = actions.filter((action) => action.startsWith("actions/checkout@"));
    expect(text.match(/persist-credentials: false/g)).toHaveLength(checkouts.length);
  });

  test("a workflow passes outside values to shells by the environment alone", () => {
    const runs = [...text.matchAll(/run: (?:\|\n((?: {10}.*\n)+)|(.*))/g)].map(
      ([, block, line]) => block ?? line ?? "",
    );
    expect(runs.filter((run) => /\$\{\{(?! matrix\.)/.test(run))).toEqual([]);
  });
});

test("the pull request's jobs run the unit tests, those of scripts, and every shard of the platform's", () => {
  const text = readText(".github/workflows/check.yml");
  const [, shards = ""] = /shard: \[(.*)\]/.exec(text) ?? [];
  const others = "--project own-process --project postgres --project sentinel --project cluster";
  const shard = `--shard \${{ matrix.shard }}/${shards.split(",").length}`;
  expect(text).toContain(`--project platform ${others} ${shard}`);
  expect(text).toContain("--project scripts");
  expect(text).toContain("npm run check");
  // With `agents`, of which the repository has none.
  expect(readText("vitest.config.ts").match(/\bname: "/g)).toHaveLength(8);
});

test("editors and biome agree on indent and line length", () => {
  const settings = new Map(
    [
      ...(readText(".editorconfig")
        .split("[*.md]")[0]
        ?.matchAll(/^(\w+) = (\w+)$/gm) ?? []),
    ].map(([, name, value]) => [name, value]),
  );
  const { indentStyle, indentWidth, lineWidth } = JSON.parse(readText("biome.json")).formatter;
  expect([settings.get("indent_style"), settings.get("indent_size"), settings.get("max_line_length")]).toEqual([
    indentStyle,
    `${indentWidth}`,
    `${lineWidth}`,
  ]);
});

test("the image has every file that its programs and `npm run backup` import", () => {
  const sources = new Map(readSources().map((source) => [source.file, source]));
  const copied = [...readText("Dockerfile").matchAll(/^COPY (\w+) \1$/gm)].map(([, folder = ""]) => folder);
  const admitted = [...readText(".dockerignore").matchAll(/^!(\w+)$/gm)].map(([, folder = ""]) => folder);
  const needed = new Set([
    ...["apps/api/src/main.ts", "apps/api/src/is-ready.ts"],
    ...["apps/worker/src/main.ts", "apps/worker/src/is-alive.ts", "scripts/backup.ts"],
  ]);
  for (const file of needed) for (const own of sources.get(file)?.own ?? []) needed.add(own);
  const isIn = (folders: readonly string[]) => (file: string) => folders.includes(file.split("/")[0] ?? "");
  const sourcesNeeded = [...needed].filter((file) => file.endsWith(".ts"));
  expect(sourcesNeeded.filter((file) => !isIn(copied)(file) || !isIn(admitted)(file))).toEqual([]);
  expect(needed.size).toBeGreaterThan(100);
});
