import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { RedisTopologySchema, secretsOfTopology } from "./redis-topology.ts";

const dir = mkdtempSync(join(tmpdir(), "agent-paas-topology-"));
const pem = join(dir, "a file.pem");
writeFileSync(pem, "");

test.each([
  ["redis://localhost:6379", { kind: "single", address: { host: "localhost", port: 6379 }, db: 0, tls: null }],
  ["redis://h", { address: { host: "h", port: 6379 } }],
  ["redis://:p%40ss@h:7/3", { password: "p@ss", db: 3, address: { host: "h", port: 7 } }],
  ["redis://user:p:a@ss@h:7", { username: "user", password: "p:a@ss" }],
  ["redis://:50%@h:7", { password: "50%" }],
  ["redis://[::1]:7", { address: { host: "::1", port: 7 } }],
  ["rediss://h", { kind: "single", tls: {} }],
  [`rediss://h?cacert=${encodeURIComponent(pem)}&sni=redis.example`, { tls: { cacert: pem, sni: "redis.example" } }],
  [
    "redis+sentinel://app:pw@a:1,b,[::1]:3/my-master/2?sentinel_user=s&sentinel_password=s%23",
    {
      kind: "sentinel",
      username: "app",
      password: "pw",
      sentinels: [
        { host: "a", port: 1 },
        { host: "b", port: 26379 },
        { host: "::1", port: 3 },
      ],
      master: "my-master",
      db: 2,
      sentinelLogin: { username: "s", password: "s#" },
      tls: null,
    },
  ],
  ["rediss+sentinel://a:1/m", { kind: "sentinel", tls: {}, sentinelLogin: {} }],
  [
    "redis+cluster://a:1,b:2",
    {
      kind: "cluster",
      nodes: [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
      db: 0,
    },
  ],
  ["REDISS+CLUSTER://a:1/0", { kind: "cluster", tls: {}, db: 0 }],
])("%s is understood", (url, expected) => {
  expect(RedisTopologySchema.parse(url)).toMatchObject(expected);
});

test.each([
  ["localhost:6379", "expected a redis://"],
  ["http://h:1", "expected a redis://, redis+sentinel:// or redis+cluster://"],
  ["redis://a:1,b:2", "redis+sentinel:// or redis+cluster://"],
  ["redis://a:99999", "host:port"],
  ["redis://a:x", "host:port"],
  ["redis+cluster://a:1,,b c:2", "host:port"],
  ["redis://a:1/x", "not a number"],
  ["redis://a:1/-1", "not a number"],
  ["redis://a:1/0/1", "nothing but the number"],
  ["redis://user@a:1", ":password@"],
  ["redis://:pw#1@a:1", "%23"],
  ["redis+sentinel://a:1,b:2", "master's name"],
  ["redis+sentinel://a:1/m/0/x", "master's name"],
  ["redis+cluster://a:1/1", "no database but 0"],
  ["redis://a:1?keyPrefix=x", "not supported"],
  ["redis+cluster://a:1?sentinel_password=x", "not supported"],
  ["redis://a:1?cacert=/x", "must begin with rediss"],
  ["rediss://a:1?cacert=/no/such/file", "cannot be read: /no/such/file"],
  [`rediss://a:1?cert=${encodeURIComponent(pem)}`, "cert and key go together"],
])("%s is refused with a reason", (url, reason) => {
  expect(RedisTopologySchema.safeParse(url).error?.issues[0]?.message).toContain(reason);
});

test("a refusal repeats no password", () => {
  const { error } = RedisTopologySchema.safeParse("redis://:geheim@a:1,b:2?sentinel_password=geheim");
  expect(error?.message).not.toContain("geheim");
});

test("all passwords of a URL are secrets, encoded and decoded", () => {
  const topology = RedisTopologySchema.parse("redis+sentinel://u:a%40b@a:1/m?sentinel_password=c%23d");
  expect(secretsOfTopology(topology)).toEqual(["a%40b", "a@b", "c%23d", "c#d"]);
  expect(secretsOfTopology(RedisTopologySchema.parse("redis://h"))).toEqual([]);
});
