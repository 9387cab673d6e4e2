/** docker-compose.yml: every container is hardened, and what may be reached from where is little. */
import { describe, expect, test } from "vitest";
import { readText } from "../support/sources.ts";

const compose = readText("docker-compose.yml");
/** The text of a block at the left margin, or of a service. */
const block = (name: string, indent = ""): string =>
  new RegExp(`^${indent}${name}:.*\n((?:${indent}  .*\n|\n)*)`, "m").exec(compose)?.[1] ?? "";
const services = block("services");
const names = [...services.matchAll(/^ {2}([\w-]+):(?: &\w+)?$/gm)].map(([, name = ""]) => name);

test("the hardening takes what a container does not need", () => {
  const hardened = block("x-hardened");
  for (const line of ["read_only: true", "cap_drop: [ALL]", 'security_opt: ["no-new-privileges:true"]', "pids_limit: "])
    expect(hardened).toContain(line);
  expect(block("x-platform")).toContain("<<: *hardened");
  expect(services).not.toMatch(/cap_add|privileged|read_only: false|network_mode|security_opt/);
});

describe.each(["api", "worker", "redis", "chroma"])("%s", (name) => {
  const service = block(name, "  ");

  test("a container is hardened, and has a limit of memory that its operator can set", () => {
    expect(names).toContain(name);
    expect(service).toMatch(/<<: \*(hardened|platform)\n/);
    expect(service).toMatch(/^ {4}mem_limit: \$\{[A-Z]+_MEMORY:-\d+g\}$/m);
  });

  test("only the API is published, and to this machine unless the operator says more", () => {
    const published = [...service.matchAll(/^ {4}ports:\n((?: {6}.*\n)*)/gm)].map(([, ports = ""]) => ports.trim());
    expect(published).toHaveLength(name === "api" ? 1 : 0);
    for (const ports of published) expect(ports).toMatch(/^- "\$\{HOST:-127\.0\.0\.1\}:\$\{PORT:-8000\}:8000"$/);
  });

  test("Redis and Chroma are on the network without a way out alone", () => {
    const own = /networks: \[(.*)\]/.exec(service)?.[1];
    expect(own).toBe(["redis", "chroma"].includes(name) ? "storage" : undefined);
    expect(compose).toMatch(/^ {2}storage:\n {4}internal: true$/m);
  });
});

test("Redis wants a password, which stands in no command line", () => {
  const redis = block("redis", "  ");
  expect(compose).toContain("REDIS_URL: redis://:${REDIS_PASSWORD:?");
  expect(redis).toContain("requirepass $$REDISCLI_AUTH");
  expect(redis.replace(/environment:.*\n(.*\n){2}/, "")).not.toContain("REDIS_PASSWORD");
});

test("every variable that only docker-compose.yml reads is in .env.example with its default", () => {
  const read = [...compose.matchAll(/\$\{([A-Z_]+)(?::-([^}]*))?/g)].map(([, name = "", value = ""]) => [name, value]);
  const listed = new Map(
    [...readText(".env.example").matchAll(/^#([A-Z_]+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]),
  );
  const differing = read.filter(([name = "", value]) => listed.get(name) !== value);
  // Required ones have no default.
  expect(differing.map(([name]) => name)).toEqual([]);
});
