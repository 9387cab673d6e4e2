import type { RequestListener } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { createGzip, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { call, refusal, resolveTo, serve, serveHere } from "../../../../test/support/http-fetch.ts";
import type { Resolve } from "./http-fetch/guarded-agent.ts";
import { createHttpFetch } from "./http-fetch.ts";

describe("the list of hosts of http_fetch", () => {
  const NOWHERE = resolveTo("127.0.0.1");
  /** A host that the list allows is then refused for its address, with another message. */
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

  test("an empty list of hosts switches the tool off", async () => {
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
  ])("%j is refused as an entry of the list", (entry) => {
    expect(() => createHttpFetch([entry])).toThrow(`"${entry}" is no host`);
  });

  test.each(["::1", "[::1]", "[::1]:8080", "10.0.0.1:80"])("%j is accepted as an entry of the list", (entry) => {
    expect(createHttpFetch([entry]).name).toBe("http_fetch");
  });
});

describe("the requests and results of http_fetch", () => {
  const get = async (answer: RequestListener, args: object = {}) => {
    const server = await serveHere(answer);
    const result = await call({ url: `${server.origin}/`, ...args }, { hosts: [server.listed] });
    await expect.poll(() => server.seen.open).toBe(0);
    return result;
  };

  test("a compressed text is decoded in its own character set, and the connection is closed", async () => {
    const types = { "content-type": "text/html; charset=gbk", "content-encoding": "gzip" };
    const gbk = Buffer.from([0xc4, 0xe3, 0xba, 0xc3]);
    const result = await get((_, response) => response.writeHead(404, types).end(gzipSync(gbk)));
    expect(result).toMatchObject({ status: 404, body: "你好", truncated: false, content_type: types["content-type"] });
  });

  test("a request has the given headers and no cookies or credentials", async () => {
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
  ])("the arguments %j are refused", async (args) => {
    expect(await refusal({ url: "http://example.com/", ...args }, { hosts: ["*"] })).toContain("do not fit");
  });

  test("a HEAD request returns no body", async () => {
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

  test("an endless gzip of zeros is cut at 1 MiB of decompressed text", async () => {
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

  /** An endless stream of empty deflate blocks, which becomes no text; `layers` of gzip around it. */
  const emptyBlocks = (layers: number) => {
    const header = gzipSync("").subarray(0, 10);
    const blocks = Buffer.alloc(5 * 200_000, Buffer.from([0, 0, 0, 0xff, 0xff]));
    let packed: Buffer = Buffer.concat([header, blocks]);
    for (let layer = 1; layer < layers; layer += 1) packed = gzipSync(packed);
    return packed;
  };

  test.each(["gzip, gzip, gzip, gzip", "gzip, br", "compress", "constructor"])(
    "an answer with the content coding %j is not decompressed",
    async (coding) => {
      const server = await serveHere((_, response) =>
        response.writeHead(200, { "content-encoding": coding }).end(emptyBlocks(4)),
      );
      const words = await refusal({ url: server.origin }, { hosts: [server.listed] });
      expect(words).toContain(`compressed in a way that is not read: ${coding}`);
      await expect.poll(() => server.seen.open).toBe(0);
    },
  );

  test("a compressed answer that becomes no text is given up when twice the wanted size was received", async () => {
    const server = await serveHere((_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" });
      response.write(emptyBlocks(1));
      const more = emptyBlocks(1).subarray(10);
      const write = () => {
        while (!response.destroyed && response.write(more));
        response.once("drain", write);
      };
      write();
    });
    expect(await refusal({ url: server.origin }, { hosts: [server.listed] })).toContain("before it is decompressed");
    await expect.poll(() => server.seen.open).toBe(0);
  });

  test("a decoder does not work on when its call was aborted", async () => {
    const controller = new AbortController();
    const server = await serveHere((_, response) => {
      response.writeHead(200, { "content-encoding": "gzip" }).write(emptyBlocks(1));
      setImmediate(() => controller.abort(new Error("time is up")));
    });
    const fetching = call({ url: server.origin }, { hosts: [server.listed], signal: controller.signal });
    await expect(fetching).rejects.toThrow("time is up");
    await expect.poll(() => process.getActiveResourcesInfo().filter((name) => /zlib/i.test(name))).toEqual([]);
    await expect.poll(() => server.seen.open).toBe(0);
  });

  test.each(["image/png", "application/octet-stream", "application/pdf", "video/mp4"])(
    "a response of type %s is refused",
    async (type) => {
      const server = await serveHere((_, response) => {
        response.writeHead(200, { "content-type": type, "content-length": 12_345 }).write("x");
      });
      const words = await refusal({ url: server.origin }, { hosts: [server.listed] });
      expect(words).toContain(`no text: ${type}, 12345 bytes`);
      await expect.poll(() => server.seen.open).toBe(0);
    },
  );

  test("five redirects are followed, each on its own connection, and a sixth is refused", async () => {
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
  ])(
    "a server that falls silent %s delays a call until its signal aborts, and the connection is closed",
    async (_, begin) => {
      const controller = new AbortController();
      const server = await serveHere((_, response) => {
        begin(response);
        setImmediate(() => controller.abort(new Error("time is up")));
      });
      const fetching = call({ url: server.origin }, { hosts: [server.listed], signal: controller.signal });
      await expect(fetching).rejects.toThrow("time is up");
      await expect.poll(() => server.seen.open).toBe(0);
      expect(createHttpFetch([]).timeoutMs).toBe(15_000);
    },
  );

  test("a name that never resolves is refused in its time, and earlier if the signal aborts", async () => {
    const args = { url: "https://slow.example/" };
    const never: Resolve = () => new Promise(() => {});
    expect(await refusal(args, { hosts: ["*"], resolve: never })).toContain("not a public address");

    const controller = new AbortController();
    const resolve: Resolve = () => {
      setImmediate(() => controller.abort(new Error("time is up")));
      return never("");
    };
    const fetching = call(args, { hosts: ["*"], resolve, refusedAfterMs: 60_000, signal: controller.signal });
    await expect(fetching).rejects.toThrow("time is up");
  });

  test("a network failure is a ToolError that names the host and the cause", async () => {
    const gone = await serve(() => {});
    await gone.stop();
    expect(await refusal({ url: gone.origin }, { hosts: [gone.listed] })).toContain("cannot be read: ECONNREFUSED");

    const broken = await serveHere((_, response) => response.destroy());
    expect(await refusal({ url: broken.origin }, { hosts: [broken.listed] })).toContain("cannot be read");

    const lying = await serveHere((_, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end("not gzip"),
    );
    expect(await refusal({ url: lying.origin }, { hosts: [lying.listed] })).toContain("cannot be read");
  });

  const failing = (code: string) => () => Promise.reject(Object.assign(new Error("no answer"), { code }));
  const REFUSED_AFTER_MS = 400;
  /** How names are resolved that may not be fetched: never, at once or slowly, with an answer or without. */
  const RESOLVERS: readonly Resolve[] = [
    () => new Promise(() => {}),
    () => delay(REFUSED_AFTER_MS / 2).then(failing("ENOTFOUND")),
    (name) => delay(REFUSED_AFTER_MS / 2).then(() => resolveTo("10.0.0.1")(name)),
    failing("ENOTFOUND"),
    failing("EAI_AGAIN"),
    resolveTo(),
    resolveTo("10.0.0.1"),
    resolveTo("8.8.8.8", "10.0.0.1"),
  ];

  test.each(["directly", "by a redirect"])(
    "names get the same answer after the same time, whether they exist, are internal or never answer: %s",
    async (how) => {
      const internal = "http://db.internal.example/";
      const server = await serveHere((_, response) => response.writeHead(302, { location: internal }).end());
      const url = how === "directly" ? internal : server.origin;
      const asked: Resolve[] = [];
      const refused: Resolve[] = [];
      const answers = await Promise.all(
        RESOLVERS.map(async (resolve) => {
          const recorded: Resolve = (name) => {
            asked.push(resolve);
            return resolve(name);
          };
          const hosts = ["*", server.listed];
          const words = await refusal({ url }, { hosts, resolve: recorded, refusedAfterMs: REFUSED_AFTER_MS });
          refused.push(resolve);
          return words;
        }),
      );
      expect(new Set(answers).size).toBe(1);
      expect(answers[0]).toContain("not a public address");
      // Timers of one length fire in the order in which they began: whoever was asked for first is refused first.
      expect(refused.map((resolve) => RESOLVERS.indexOf(resolve))).toEqual(
        asked.map((resolve) => RESOLVERS.indexOf(resolve)),
      );
    },
  );
});
