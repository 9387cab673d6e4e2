import type { RequestListener } from "node:http";
import { expect, test } from "vitest";
import { call, refusal, resolveTo, serveHere } from "../../../../../test/support/http-fetch.ts";
import type { Resolve } from "./guarded-agent.ts";

const ANSWER: RequestListener = (_, response) => {
  response.writeHead(200, { "content-type": "text/plain" }).end("From outside");
};

/** A proxy that answers by itself, and what it was asked for. */
async function startProxy(answer: RequestListener = ANSWER) {
  const asked: string[] = [];
  const { origin } = await serveHere((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  return { proxy: origin, asked };
}

const unknownHere: Resolve = () => Promise.reject(new Error("ENOTFOUND"));

test("a host that only the proxy can resolve is asked through the proxy", async () => {
  const { proxy, asked } = await startProxy();
  const { status, body } = await call(
    { url: "http://outside.example/a?b=c" },
    { hosts: ["outside.example"], proxy, resolve: unknownHere },
  );
  expect({ status, body }).toEqual({ status: 200, body: "From outside" });
  expect(asked).toEqual(["GET http://outside.example/a?b=c"]);
});

test.each([
  ["a name that leads into the platform's network", "http://inside.example/", resolveTo("93.184.216.34", "10.0.0.1")],
  ["a private address", "http://10.0.0.1/", unknownHere],
  ["a private address of IPv6", "http://[fd00::1]/", unknownHere],
])("%s is not asked through the proxy", async (_, url, resolve) => {
  const { proxy, asked } = await startProxy();
  expect(await refusal({ url }, { hosts: ["*"], proxy, resolve })).toContain("not a public address");
  expect(asked).toEqual([]);
});

test("a private address that is listed is asked through the proxy", async () => {
  const { proxy, asked } = await startProxy();
  await call({ url: "http://10.0.0.1:8080/" }, { hosts: ["10.0.0.1:8080"], proxy, resolve: unknownHere });
  expect(asked).toEqual(["GET http://10.0.0.1:8080/"]);
});

test("a redirect that the proxy brings is checked like the first address", async () => {
  const { proxy, asked } = await startProxy((_, response) => {
    response.writeHead(302, { location: "http://169.254.169.254/latest" }).end();
  });
  const url = "http://outside.example/";
  expect(await refusal({ url }, { hosts: ["*"], proxy, resolve: unknownHere })).toContain("not a public address");
  expect(asked).toEqual(["GET http://outside.example/"]);
});
