import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { call, refusal, resolveTo, serve } from "../../../../../test/support/http-fetch.ts";
import type { Resolve } from "./guarded-agent.ts";

/** A public address by its range that is not allocated to anybody. */
const UNALLOCATED = "2d00::1";

/** URLs with forms of addresses that must not be reachable. PORT stands for the bait server's port. */
const LITERALS = [
  // Loopback, in the notations of IPv4 addresses
  "http://127.0.0.1:PORT/",
  "http://127.0.0.1.:PORT/",
  "http://2130706433:PORT/",
  "http://017700000001:PORT/",
  "http://0x7f000001:PORT/",
  "http://0x7F.0x0.0x0.0x1:PORT/",
  "http://0177.0.0.1:PORT/",
  "http://0177.0000.0000.0001:PORT/",
  "http://0x7f.1:PORT/",
  "http://127.1:PORT/",
  "http://127.0.1:PORT/",
  "http://127.0x1:PORT/",
  "http://127.255.255.254:PORT/",
  "http://%31%32%37.0.0.1:PORT/",
  "http://１２７.０.０.１:PORT/",
  "http://①②⑦.⓪.⓪.①:PORT/",
  "http://127。0。0。1:PORT/",
  "HTTP:\\\\127.0.0.1:PORT\\",
  "http:127.0.0.1:PORT/",
  " \thttp://127.0.\n0.1:PORT/ ",
  // The unspecified address
  "http://0.0.0.0:PORT/",
  "http://0:PORT/",
  "http://0x0:PORT/",
  "http://0.1.2.3:PORT/",
  // IPv6, and IPv4 embedded in it
  "http://[::1]:PORT/",
  "http://[0:0:0:0:0:0:0:1]:PORT/",
  "http://[0000:0000:0000:0000:0000:0000:0000:0001]:PORT/",
  "http://[::]:PORT/",
  "http://[::ffff:127.0.0.1]:PORT/",
  "http://[::ffff:7f00:1]:PORT/",
  "http://[::FFFF:7F00:0001]:PORT/",
  "http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/",
  "http://[::127.0.0.1]:PORT/",
  "http://[::7f00:1]:PORT/",
  "http://[::ffff:0:127.0.0.1]:PORT/",
  "http://[64:ff9b::127.0.0.1]:PORT/",
  "http://[64:ff9b:1::7f00:1]:PORT/",
  "http://[2002:7f00:1::]:PORT/",
  "http://[2002:7f00:0001::1]:PORT/",
  "http://[2001:0:7f00:1::]:PORT/",
  "http://[::ffff:169.254.169.254]:PORT/",
  "http://[::ffff:10.0.0.1]:PORT/",
  "http://[64:ff9b::a9fe:a9fe]:PORT/",
  "http://[fe80::1]:PORT/",
  "http://[febf::1]:PORT/",
  "http://[fec0::1]:PORT/",
  "http://[fc00::1]:PORT/",
  "http://[fd00:ec2::254]:PORT/",
  "http://[ff02::1]:PORT/",
  "http://[100::1]:PORT/",
  "http://[2001:db8::1]:PORT/",
  "http://[3fff::1]:PORT/",
  "http://[5f00::1]:PORT/",
  "http://[4000::1]:PORT/",
  // Private, shared, link-local, metadata, reserved
  "http://10.0.0.1:PORT/",
  "http://10.255.255.255:PORT/",
  "http://167772161:PORT/",
  "http://172.16.0.1:PORT/",
  "http://172.31.255.255:PORT/",
  "http://192.168.1.1:PORT/",
  "http://0300.0250.1.1:PORT/",
  "http://169.254.169.254:PORT/latest/meta-data/",
  "http://2852039166:PORT/latest/meta-data/",
  "http://0xa9fea9fe:PORT/latest/meta-data/",
  "http://0251.0376.0251.0376:PORT/",
  "http://169.254.43518:PORT/",
  "http://100.64.0.1:PORT/",
  "http://100.100.100.200:PORT/latest/meta-data/",
  "http://168.63.129.16:PORT/",
  "http://192.0.0.192:PORT/",
  "http://192.0.2.1:PORT/",
  "http://198.18.0.1:PORT/",
  "http://198.51.100.1:PORT/",
  "http://203.0.113.1:PORT/",
  "http://192.88.99.1:PORT/",
  "http://224.0.0.1:PORT/",
  "http://239.255.255.250:PORT/",
  "http://240.0.0.1:PORT/",
  "http://255.255.255.255:PORT/",
];

/** Texts that are no valid URL, or no URL of http. */
const MALFORMED = [
  "http://[fe80::1%25eth0]:PORT/",
  "http://[::1%lo]:PORT/",
  "http://[::ffff:127.1]:PORT/",
  "http://0x7f.0.0.0x100:PORT/",
  "http://256.256.256.256:PORT/",
  "http://127.0.0.1.1:PORT/",
  "http://4294967296:PORT/",
  "http://127.0.0.1:PORT:80/",
  "http://:PORT/",
  "http://",
  "//127.0.0.1:PORT/",
  "127.0.0.1:PORT",
  "file:///etc/passwd",
  "ftp://127.0.0.1:PORT/",
  "gopher://127.0.0.1:PORT/_GET",
  "unix:/var/run/docker.sock",
  "data:text/plain,x",
  "blob:http://127.0.0.1:PORT/x",
  "ws://127.0.0.1:PORT/",
  "http://user:password@127.0.0.1:PORT/",
  "http://example.com@127.0.0.1:PORT/",
  "http://@127.0.0.1:PORT@127.0.0.1:PORT/",
];

/** Names, with forbidden addresses that they resolve to. */
const NAMES: readonly (readonly [url: string, addresses: readonly string[]])[] = [
  ["http://localhost:PORT/", ["127.0.0.1"]],
  ["http://LOCALHOST.:PORT/", ["127.0.0.1"]],
  ["http://ⓛocalhost:PORT/", ["127.0.0.1"]],
  ["http://any.localhost:PORT/", ["127.0.0.1"]],
  ["http://127.0.0.1.nip.io:PORT/", ["127.0.0.1"]],
  ["http://metadata.google.internal:PORT/", ["169.254.169.254"]],
  ["http://v6.example:PORT/", ["::1"]],
  ["http://mapped.example:PORT/", ["::ffff:127.0.0.1"]],
  ["http://scoped.example:PORT/", ["fe80::1%lo"]],
  ["http://unspecified.example:PORT/", ["0.0.0.0"]],
  ["http://two.example:PORT/", ["8.8.8.8", "127.0.0.1"]],
  ["http://two-families.example:PORT/", ["2606:4700::1111", "::1"]],
  ["http://reversed.example:PORT/", ["127.0.0.1", "8.8.8.8"]],
  ["http://strange.example:PORT/", ["0x7f.1"]],
];

describe("http_fetch does not connect to a forbidden address", () => {
  let bait: Awaited<ReturnType<typeof serve>>;
  let redirecting: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    bait = await serve((_, response) => response.end("caught"), "");
    redirecting = await serve((request, response) => {
      const to = new URL(request.url ?? "", "http://here").searchParams.get("to") ?? "";
      response.writeHead(302, { location: encodeURI(to) }).end();
    });
  });
  afterAll(() => Promise.all([bait.stop(), redirecting.stop()]));
  beforeEach(() => {
    bait.seen.connections = 0;
  });

  const withPort = (url: string) => url.replaceAll("PORT", String(bait.port));

  test("there are at least 100 forms of forbidden addresses, and the bait server is reachable", async () => {
    expect(new Set([...LITERALS, ...MALFORMED, ...NAMES.map(([url]) => url)]).size).toBeGreaterThanOrEqual(100);
    expect(await (await fetch(`http://127.0.0.1:${bait.port}`)).text()).toBe("caught");
    expect(bait.seen.connections).toBe(1);
  });

  test.each(LITERALS)("as a literal: %j", async (url) => {
    expect(await refusal({ url: withPort(url) }, { hosts: [`*:${bait.port}`, "*"] })).toContain("not a public address");
    expect(bait.seen.connections).toBe(0);
  });

  test.each(MALFORMED)("as a malformed URL: %j", async (url) => {
    expect(await refusal({ url: withPort(url) }, { hosts: [`*:${bait.port}`, "*"] })).toMatch(
      /is no URL|neither http nor https|has credentials/,
    );
    expect(bait.seen.connections).toBe(0);
  });

  test.each(NAMES)("as the name %s that resolves to %j", async (url, addresses) => {
    const { host } = new URL(withPort(url));
    const resolve = resolveTo(...addresses);
    for (const hosts of [[`*:${bait.port}`], [host]]) {
      expect(await refusal({ url: withPort(url) }, { hosts, resolve })).toContain("does not lead to one");
    }
    expect(bait.seen.connections).toBe(0);
  });

  test("by the system's own resolver", async () => {
    const hosts = [`localhost:${bait.port}`];
    expect(await refusal({ url: withPort("http://localhost:PORT") }, { hosts })).toContain("does not lead to one");
    expect(bait.seen.connections).toBe(0);
  });

  test.each(LITERALS.filter((url) => url.startsWith("http://")))("by a redirect: %j", async (url) => {
    const args = { url: `${redirecting.origin}/?to=${encodeURIComponent(withPort(url))}` };
    const hosts = [redirecting.listed, `*:${bait.port}`];
    expect(await refusal(args, { hosts })).toMatch(/not a public address|is no URL/);
    expect(bait.seen.connections).toBe(0);
  });

  test.each([
    ["file:///etc/passwd", "neither http nor https"],
    ["http://user:password@example.com/", "credentials"],
    ["http://other.example/", "not allowed: other.example"],
    ["//127.0.0.1:1/", "not allowed: 127.0.0.1:1"],
    ["http://[::1", "is no URL"],
  ])("by a redirect to a URL that is not allowed: %s", async (to, words) => {
    const args = { url: `${redirecting.origin}/?to=${encodeURIComponent(to)}` };
    expect(await refusal(args, { hosts: [redirecting.listed] })).toContain(words);
  });

  test("by a name that resolves differently at the second time (DNS rebinding)", async () => {
    const asked: string[] = [];
    const controller = new AbortController();
    const resolve: Resolve = async (name) => {
      asked.push(name);
      if (asked.length > 1) return resolveTo("127.0.0.1")(name);
      // The first answer is allowed. The call ends before a packet to that unallocated address is sent.
      await turn();
      controller.abort(new Error("passed"));
      return resolveTo(UNALLOCATED)(name);
    };
    const args = { url: withPort("http://rebinds.example:PORT/") };
    const hosts = [`rebinds.example:${bait.port}`];
    await expect(call(args, { hosts, resolve, signal: controller.signal })).rejects.toThrow("passed");
    // A check separate from the connection would resolve twice, and connect to the second answer.
    expect(asked).toEqual(["rebinds.example"]);
    expect(await refusal(args, { hosts, resolve })).toContain("does not lead to one");
    expect(bait.seen.connections).toBe(0);
  });

  test("unless the list has it as an address, which neither a name nor another form of it replaces", async () => {
    const hosts = [`127.0.0.1:${bait.port}`, `*:${bait.port}`];
    expect(await call({ url: withPort("http://127.0.0.1:PORT/?a=1") }, { hosts })).toEqual({
      status: 200,
      url: withPort("http://127.0.0.1:PORT/?a=1"),
      content_type: null,
      truncated: false,
      body: "caught",
    });
    expect(bait.seen.connections).toBe(1);
    for (const url of ["http://127.0.0.2:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://name.example:PORT/"]) {
      expect(await refusal({ url: withPort(url) }, { hosts, resolve: resolveTo("127.0.0.1") })).toContain("public");
    }
    expect(bait.seen.connections).toBe(1);
  });
});
