/** The way to the provider: compressed answers, proxies, private authorities. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { getGlobalDispatcher } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { startForwardProxy } from "../../../../../test/support/forward-proxy.ts";
import { call } from "../../../../../test/support/http-fetch.ts";
import { PATIENT } from "../../../../../test/support/scripted-provider.ts";
import { createHttpAgent, type ProxySettings, useForFetch } from "../../http/http-agent.ts";
import { createOpenAiProvider } from "./provider.ts";

const run = promisify(execFile);

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function modelAt(host: string, proxy?: ProxySettings) {
  const provider = createOpenAiProvider({ baseUrl: `http://${host}/v1`, apiKey: "k", limits: PATIENT, proxy });
  onTestFinished(() => provider.close());
  return { provider, model: provider.model({ defaultModel: "m", responseFormat: "none" }) };
}

const turnOf = (model: ReturnType<typeof modelAt>["model"]) =>
  model.stream({ messages: [{ role: "user", content: "Hi" }] }, new AbortController().signal);

const chunk = (delta: object, more: object = {}) => `data: ${JSON.stringify({ choices: [{ delta, ...more }] })}\n\n`;
const END = `${chunk({ content: "last" }, { finish_reason: "stop" })}data: [DONE]\n\n`;

const flushed = { flush: zlib.constants.Z_SYNC_FLUSH };
const CODINGS: Readonly<Record<string, () => NodeJS.ReadWriteStream & { flush(done: () => void): void }>> = {
  gzip: () => zlib.createGzip(flushed),
  deflate: () => zlib.createDeflate(flushed),
  "deflate without a head": () => zlib.createDeflateRaw(flushed),
  br: () => zlib.createBrotliCompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH }),
  ...(zlib.createZstdCompress === undefined ? {} : { zstd: () => zlib.createZstdCompress() }),
};

test.each(Object.entries(CODINGS))("a stream in %s is read while it arrives", async (coding, compress) => {
  let finish = () => {};
  const host = await serve((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream", "content-encoding": coding.split(" ")[0] });
    const packed = compress();
    packed.pipe(response);
    packed.write(chunk({ content: "first " }));
    packed.flush(() => {});
    finish = () => packed.end(END);
  });
  const turn = turnOf(modelAt(host).model);
  expect(await turn.next()).toMatchObject({ value: { content: "first " } });
  finish();
  expect(await turn.next()).toMatchObject({ value: { content: "last" } });
  expect(await turn.next()).toMatchObject({ done: true, value: { content: "first last" } });
});

test("failures and whole answers are read compressed too, and an unknown coding is a failure", async () => {
  const body = JSON.stringify({ error: { message: "Wrong." } });
  const answers: [coding: string, body: Buffer][] = [
    ["gzip", zlib.gzipSync(body)],
    ["gzip, gzip", zlib.gzipSync(zlib.gzipSync(body))],
    ["compress", Buffer.from(body)],
  ];
  const host = await serve((_, response) => {
    const [coding = "", packed] = answers.shift() ?? [];
    response.writeHead(400, { "content-encoding": coding }).end(packed);
  });
  const { model } = modelAt(host);
  await expect(turnOf(model).next()).rejects.toMatchObject({
    code: "model_rejected",
    message: expect.stringContaining("Wrong."),
  });
  await expect(turnOf(model).next()).rejects.toMatchObject({ code: "model_unavailable" });
  await expect(turnOf(model).next()).rejects.toMatchObject({ code: "model_unavailable" });
});

test("an endless failure is read no further than its beginning", async () => {
  const host = await serve((_, response) => {
    response.writeHead(500, { "content-type": "text/plain" });
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  });
  await expect(turnOf(modelAt(host).model).next()).rejects.toMatchObject({ code: "model_unavailable" });
});

/** A provider that answers chats and embeddings, whatever is asked. */
const answering: RequestListener = (request, response) => {
  request.resume();
  if (request.url?.endsWith("/embeddings")) {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ data: [{ index: 0, embedding: [1] }] }));
  } else {
    response.writeHead(200, { "content-type": "text/event-stream" }).end(END);
  }
};

test("requests to model, embeddings and MCP servers go through the proxy, with its credentials", async () => {
  const host = await serve(answering);
  const { url, asked, credentials } = await startForwardProxy();
  const proxy = { http: url.replace("//", "//ann:secret%21@") };
  const { provider, model } = modelAt(host, proxy);
  expect(await turnOf(model).next()).toMatchObject({ value: { content: "last" } });
  expect(await provider.embedder("e", 1).embed(["a"], new AbortController().signal)).toEqual([[1]]);
  // The MCP SDK and Chroma's client use `fetch`.
  const [agent, former] = [createHttpAgent({ proxy }), getGlobalDispatcher()];
  useForFetch(agent);
  onTestFinished(() => {
    useForFetch(former);
    return agent.destroy();
  });
  expect((await fetch(`http://${host}/mcp`, { method: "POST", body: "{}" })).status).toBe(200);
  expect(asked).toEqual([
    `POST http://${host}/v1/chat/completions`,
    `POST http://${host}/v1/embeddings`,
    `POST http://${host}/mcp`,
  ]);
  expect(new Set(credentials)).toEqual(new Set([`Basic ${Buffer.from("ann:secret!").toString("base64")}`]));
  // `http_fetch` connects by itself: its rules are about the addresses to which it connects.
  expect((await call({ url: `http://${host}/page` }, { hosts: [host] })).status).toBe(200);
  expect(asked).toHaveLength(3);
});

test.each([
  ["the host", () => "localhost,127.0.0.1", true],
  ["the host and its port", (host: string) => host, true],
  ["another port", () => "127.0.0.1:1", false],
  ["a star", () => "*", true],
  ["another host", () => "example.com, .internal", false],
])("NO_PROXY with %s decides whether a request goes directly", async (_, bypass, isDirect) => {
  const host = await serve(answering);
  const { url, asked } = await startForwardProxy();
  const { model } = modelAt(host, { http: url, bypass: bypass(host) });
  await turnOf(model).next();
  expect(asked).toHaveLength(isDirect ? 0 : 1);
});

test("NO_PROXY with a suffix holds for the hosts below it", async () => {
  const host = await serve(answering);
  const { url, asked } = await startForwardProxy();
  const port = host.split(":")[1];
  const { model } = modelAt(`model.localhost:${port}`, { http: url, bypass: ".localhost" });
  await turnOf(model)
    .next()
    .catch(() => {});
  expect(asked).toEqual([]);
});

test("a proxy that is away is a provider that cannot be reached", async () => {
  const host = await serve(answering);
  const { model } = modelAt(host, { http: "http://127.0.0.1:1" });
  await expect(turnOf(model).next()).rejects.toMatchObject({ code: "model_unavailable" });
});

test("a private authority is trusted by NODE_EXTRA_CA_CERTS, directly and through a proxy", {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "private-ca-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"];
  const files = ["-keyout", key, "-out", cert];
  await run("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...files, ...names]);
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => {
    request.resume();
    response.end("trusted");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { url, asked } = await startForwardProxy();
  const client = join(import.meta.dirname, "../../../../../test/fixtures/tls-client.ts");
  const ask = async (env: NodeJS.ProcessEnv, ...args: string[]) =>
    JSON.parse((await run(process.execPath, [client, `https://${target}/`, ...args], { env })).stdout);
  const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
  const trusting = { ...env, NODE_EXTRA_CA_CERTS: cert };
  const [bare, direct, proxied] = await Promise.all([ask(env), ask(trusting), ask(trusting, url)]);
  expect(bare).toEqual(["DEPTH_ZERO_SELF_SIGNED_CERT", "DEPTH_ZERO_SELF_SIGNED_CERT"]);
  expect(direct).toEqual(["trusted", "trusted"]);
  expect(proxied).toEqual(["trusted", "trusted"]);
  expect(asked).toEqual([`CONNECT ${target}`, `CONNECT ${target}`]);
});
