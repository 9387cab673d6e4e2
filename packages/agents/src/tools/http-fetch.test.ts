import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import { createGzip, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Resolve } from "./http-fetch/guarded-agent.ts";
import { createHttpFetch } from "./http-fetch.ts";
import { type ToolContext, ToolError } from "./tool.ts";

type Result = { status: number; url: string; content_type: string | null; truncated: boolean; body: string };

async function call(
  args: object,
  { hosts, resolve, signal }: { hosts: readonly string[]; resolve?: Resolve; signal?: AbortSignal },
): Promise<Result> {
  const tool = createHttpFetch(hosts, resolve && { resolve });
  const context = { signal: signal ?? new AbortController().signal } as ToolContext;
  return (await tool.call(tool.parse(args), context)) as Result;
}

async function refusal(...args: Parameters<typeof call>): Promise<string> {
  const failure = await call(...args).then(
    (result) => expect.unreachable(`fetched: ${JSON.stringify(result)}`),
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(ToolError);
  return (failure as ToolError).message;
}

/** A server that counts its connections; with an empty host it listens at all addresses, of IPv6 too. */
async function serve(answer: RequestListener, host = "127.0.0.1") {
  const seen = { connections: 0, open: 0 };
  const server = createServer(answer).on("connection", (socket) => {
    seen.connections++;
    seen.open++;
    socket.on("close", () => seen.open--);
  });
  await new Promise<void>((listening) => server.listen({ port: 0, ...(host && { host }) }, listening));
  const { port } = server.address() as AddressInfo;
  const stop = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  return { port, seen, stop, origin: `http://${host}:${port}`, listed: `${host}:${port}` };
}

async function serveHere(answer: RequestListener) {
  const server = await serve(answer);
  onTestFinished(async () => void (await server.stop()));
  return server;
}

const resolveTo =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));

/** Public by the rules, and no one's yet. */
const UNALLOCATED = "2d00::1";

/** Every form leads, in one way or another, to where no one from outside may go. PORT is the bait's. */
const LITERALS = [
  // Loopback, in the ways that IPv4 addresses are written
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
  // This host
  "http://0.0.0.0:PORT/",
  "http://0:PORT/",
  "http://0x0:PORT/",
  "http://0.1.2.3:PORT/",
  // IPv6, and IPv4 inside of it
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

/** No URL that names a host, or not one of http. */
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

/** Names, whatever they resolve to. */
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

describe("no form of a forbidden address connects", () => {
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

  test("the forms are at least 60, and the bait can be reached", async () => {
    expect(new Set([...LITERALS, ...MALFORMED, ...NAMES.map(([url]) => url)]).size).toBeGreaterThanOrEqual(100);
    expect(await (await fetch(`http://127.0.0.1:${bait.port}`)).text()).toBe("caught");
    expect(bait.seen.connections).toBe(1);
  });

  test.each(LITERALS)("%j", async (url) => {
    expect(await refusal({ url: withPort(url) }, { hosts: [`*:${bait.port}`, "*"] })).toContain("not a public address");
    expect(bait.seen.connections).toBe(0);
  });

  test.each(MALFORMED)("%j", async (url) => {
    expect(await refusal({ url: withPort(url) }, { hosts: [`*:${bait.port}`, "*"] })).toMatch(
      /is no URL|neither http nor https|has credentials/,
    );
    expect(bait.seen.connections).toBe(0);
  });

  test.each(NAMES)("%s → %j", async (url, addresses) => {
    const { host } = new URL(withPort(url));
    const resolve = resolveTo(...addresses);
    for (const hosts of [[`*:${bait.port}`], [host]]) {
      expect(await refusal({ url: withPort(url) }, { hosts, resolve })).toContain("does not lead to one");
    }
    expect(bait.seen.connections).toBe(0);
  });

  test("the system's own resolver is checked too", async () => {
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
  ])("by a redirect: %s", async (to, words) => {
    const args = { url: `${redirecting.origin}/?to=${encodeURIComponent(to)}` };
    expect(await refusal(args, { hosts: [redirecting.listed] })).toContain(words);
  });

  test("a name that resolves anew is judged by the address that is connected to", async () => {
    const asked: string[] = [];
    const controller = new AbortController();
    const resolve: Resolve = async (name) => {
      asked.push(name);
      if (asked.length > 1) return resolveTo("127.0.0.1")(name);
      // The first answer passes. The call ends before a packet to that address, which is no one's, would leave.
      await turn();
      controller.abort(new Error("passed"));
      return resolveTo(UNALLOCATED)(name);
    };
    const args = { url: withPort("http://rebinds.example:PORT/") };
    const hosts = [`rebinds.example:${bait.port}`];
    await expect(call(args, { hosts, resolve, signal: controller.signal })).rejects.toThrow("passed");
    // A check apart from the connection would ask twice, and connect to the second answer.
    expect(asked).toEqual(["rebinds.example"]);
    expect(await refusal(args, { hosts, resolve })).toContain("does not lead to one");
    expect(bait.seen.connections).toBe(0);
  });

  test("a private address in the list is reached by that address, not by a name or another form of it", async () => {
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

describe("the list of hosts", () => {
  const NOWHERE = resolveTo("127.0.0.1");
  /** Hosts that pass the list are refused for their address: that is how the two are told apart. */
  test.each([
    [["example.com"], "http://example.com/", true],
    [["example.com"], "https://EXAMPLE.com./x", true],
    [["example.com"], "https://example.com:443/", true],
    [["example.com"], "https://example.com:80/", false],
    [["example.com"], "http://example.com:8080/", false],
    [["example.com"], "http://www.example.com/", false],
    [["example.com"], "http://example.com.evil.example/", false],
    [["example.com"], "http://notexample.com/", false],
    [["example.com:8443"], "https://example.com:8443/", true],
    [["example.com:8443"], "https://example.com/", false],
    [["example.com:443"], "https://example.com/", true],
    [["example.com:443"], "http://example.com/", false],
    [["*.example.com"], "https://a.b.example.com/", true],
    [["*.example.com"], "https://example.com/", false],
    [["*.example.com"], "https://badexample.com/", false],
    [["bücher.example"], "https://xn--bcher-kva.example/", true],
    [["EXAMPLE.com", "example.org"], "https://example.org/", true],
    [["*"], "https://any.example/", true],
    [["*"], "https://any.example:8443/", false],
    [["10.0.0.1"], "http://10.0.0.2/", false],
  ])("%j and %s: %s", async (hosts, url, allowed) => {
    expect(await refusal({ url }, { hosts, resolve: NOWHERE })).toContain(allowed ? "public address" : "not allowed");
  });

  test("an empty one turns the tool off", async () => {
    expect(await refusal({ url: "https://example.com/" }, { hosts: [] })).toContain("HTTP_FETCH_ALLOWED_HOSTS");
    expect(createHttpFetch([]).description).toContain("No host is allowed");
  });

  test.each([
    "http://example.com",
    "example.com/path",
    "*.*",
    "*.0.0.1",
    "*example.com",
    "a b",
    "",
    "example.com:99999",
    "u@h",
    "[::1",
  ])("%j is no entry", (entry) => {
    expect(() => createHttpFetch([entry])).toThrow(`"${entry}" is no host`);
  });

  test.each(["::1", "[::1]", "[::1]:8080", "10.0.0.1:80"])("%j is an entry", (entry) => {
    expect(createHttpFetch([entry]).name).toBe("http_fetch");
  });
});

describe("what is read", () => {
  const get = async (answer: RequestListener, args: object = {}) => {
    const server = await serveHere(answer);
    const result = await call({ url: `${server.origin}/`, ...args }, { hosts: [server.listed] });
    await expect.poll(() => server.seen.open).toBe(0);
    return result;
  };

  test("text, packed or not, in its own character set, with the connection closed", async () => {
    const types = { "content-type": "text/html; charset=gbk", "content-encoding": "gzip" };
    const gbk = Buffer.from([0xc4, 0xe3, 0xba, 0xc3]);
    const result = await get((_, response) => response.writeHead(404, types).end(gzipSync(gbk)));
    expect(result).toMatchObject({ status: 404, body: "你好", truncated: false, content_type: types["content-type"] });
  });

  test("own headers and no others", async () => {
    const sent = await get((request, response) => response.end(JSON.stringify(request.headers)), {
      headers: { accept: "text/plain", "accept-language": "zh" },
    });
    const { host: _, ...headers } = JSON.parse(sent.body);
    expect(headers).toMatchObject({ accept: "text/plain", "accept-language": "zh", "user-agent": "agent-paas" });
    expect(Object.keys(headers)).not.toContain("cookie");
    expect(Object.keys(headers)).not.toContain("authorization");
  });

  test.each([
    { headers: { authorization: "x" } },
    { headers: { accept: "a\r\nhost: b" } },
    { method: "POST" },
    { url: 1 },
  ])("arguments %j are refused", async (args) => {
    expect(await refusal({ url: "http://example.com/", ...args }, { hosts: ["*"] })).toContain("do not fit");
  });

  test("HEAD has no body", async () => {
    const result = await get((_, response) => response.writeHead(200, { "content-type": "image/png" }).end(), {
      method: "HEAD",
    });
    expect(result).toMatchObject({ status: 200, content_type: "image/png", body: "" });
  });

  test("an endless body is cut at 1 MiB, between two characters", async () => {
    const result = await get((_, response) => {
      response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
      const write = () => {
        while (!response.destroyed && response.write("中".repeat(10_000)));
        response.once("drain", write);
      };
      write();
    });
    expect(result).toMatchObject({ truncated: true, body: "中".repeat(Math.floor(1024 ** 2 / 3)) });
  });

  test("an endless gzip of zeros is cut at 1 MiB too", async () => {
    const result = await get((_, response) => {
      response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
      const gzip = createGzip();
      gzip.pipe(response);
      const zeros = Buffer.alloc(1024 ** 2, "0");
      const write = () => {
        while (!response.destroyed && gzip.write(zeros));
        gzip.once("drain", write);
      };
      write();
    });
    expect(result.truncated).toBe(true);
    expect(result.body).toHaveLength(1024 ** 2);
  });

  test.each(["image/png", "application/octet-stream", "application/pdf", "video/mp4"])(
    "%s is no text",
    async (type) => {
      const server = await serveHere((_, response) => {
        response.writeHead(200, { "content-type": type, "content-length": 12_345 }).write("x");
      });
      const words = await refusal({ url: server.origin }, { hosts: [server.listed] });
      expect(words).toContain(`no text: ${type}, 12345 bytes`);
      await expect.poll(() => server.seen.open).toBe(0);
    },
  );

  test("five redirects are followed, each on a connection of its own; six are not", async () => {
    const server = await serveHere((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end("arrived");
      else response.writeHead(307, { location: String(left - 1) }).end("moved");
    });
    const hosts = [server.listed];
    expect(await call({ url: `${server.origin}/5` }, { hosts })).toMatchObject({
      body: "arrived",
      url: `${server.origin}/0`,
    });
    expect(server.seen.connections).toBe(6);
    expect(await refusal({ url: `${server.origin}/6` }, { hosts })).toContain("More than 5 redirects");
    await expect.poll(() => server.seen.open).toBe(0);
  });

  test.each([
    ["before the headers", () => {}],
    ["inside the body", (response: { write(text: string): void }) => response.write("begun")],
  ])("silence %s ends with the signal, and with it the connection", async (_, begin) => {
    const controller = new AbortController();
    const server = await serveHere((_, response) => {
      begin(response);
      setImmediate(() => controller.abort(new Error("time is up")));
    });
    const fetching = call({ url: server.origin }, { hosts: [server.listed], signal: controller.signal });
    await expect(fetching).rejects.toThrow("time is up");
    await expect.poll(() => server.seen.open).toBe(0);
    expect(createHttpFetch([]).timeoutMs).toBe(15_000);
  });

  test("a name that never resolves ends with the signal", async () => {
    const controller = new AbortController();
    const resolve: Resolve = () => {
      setImmediate(() => controller.abort(new Error("time is up")));
      return new Promise(() => {});
    };
    const fetching = call({ url: "https://slow.example/" }, { hosts: ["*"], resolve, signal: controller.signal });
    await expect(fetching).rejects.toThrow("time is up");
  });

  test("what the network does wrong is said in words for the model", async () => {
    const gone = await serve(() => {});
    await gone.stop();
    expect(await refusal({ url: gone.origin }, { hosts: [gone.listed] })).toContain("cannot be read: ECONNREFUSED");

    const broken = await serveHere((_, response) => response.destroy());
    expect(await refusal({ url: broken.origin }, { hosts: [broken.listed] })).toContain("cannot be read");

    const lying = await serveHere((_, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end("not gzip"),
    );
    expect(await refusal({ url: lying.origin }, { hosts: [lying.listed] })).toContain("cannot be read");

    const resolve = () => Promise.reject(Object.assign(new Error("not found"), { code: "ENOTFOUND" }));
    expect(await refusal({ url: "http://gone.example/" }, { hosts: ["*"], resolve })).toContain("ENOTFOUND");
    expect(await refusal({ url: "http://void.example/" }, { hosts: ["*"], resolve: resolveTo() })).toContain(
      "void.example",
    );
  });
});
