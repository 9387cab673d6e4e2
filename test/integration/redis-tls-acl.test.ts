/** Redis over TLS with client certificates, and as an ACL user with the permissions that the documents state. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { startTestPlatform } from "../support/platform.ts";
import { startCluster, startSentinelSet } from "../support/redis-sets.ts";
import { ROOT } from "../support/sources.ts";

const run = promisify(execFile);

async function makeCertificate() {
  const dir = await mkdtemp(join(tmpdir(), "agent-paas-tls-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const [cert, key] = [join(dir, "cert.pem"), join(dir, "key.pem")];
  const names = ["-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1"];
  await run("openssl", [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-keyout",
    key,
    "-out",
    cert,
    ...names,
  ]);
  return { cert, key };
}

/** What a user of this prefix is given, as in docs/several-machines.md. */
function permissionsOf(prefix: string): string[] {
  const text = readFileSync(join(ROOT, "docs/several-machines.md"), "utf8");
  const [, permissions = ""] = /An\s+ACL\s+user\s+needs\s+`([^`]+)`/.exec(text) ?? [];
  return permissions.split(" ").map((one) => one.replaceAll("PREFIX", prefix));
}

test.each([
  ["Sentinels", startSentinelSet],
  ["a cluster", startCluster],
] as const)(
  "jobs run over TLS as an ACL user, with %s",
  async (_, startSet) => {
    const set = await startSet({ tls: await makeCertificate() });
    onTestFinished(set.stop);
    const [user, password] = ["app", "p@ss/word"];
    const prefix = "acl-test";
    for (const { control } of set.nodes) {
      await control.call("ACL", "SETUSER", user, "on", `>${password}`, ...permissionsOf(prefix));
    }
    const redisUrl = set.url.replace(/:[^:@]+@/, `${user}:${encodeURIComponent(password)}@`);
    const platform = await startTestPlatform({ redisUrl, env: { ACCEPT_MIN_REPLICAS: "1" }, prefix });
    onTestFinished(platform.stop);
    const { status, body } = await platform.alice.chatWhole("[[text=Secret]] Over TLS?");
    expect([status, body.message?.content]).toEqual([200, "Secret"]);
    const busy = await platform.alice.chat({ message: "[[tokens=1 ttft=60000]] Wait" });
    await platform.alice.started(busy.jobId);
    await platform.alice.cancel(busy.jobId);
    expect((await platform.alice.ended(busy.jobId)).status).toBe("cancelled");
    expect((await platform.alice.get("/health")).body.checks.redis.status).toBe("up");
  },
  90_000,
);
