/**
 * A TCP proxy in front of several APIs that cuts connections: after a number of bytes of an answer, in the head, in a
 * frame or in a character, or after a time. Each new connection goes to the next API.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export type CuttingProxy = {
  readonly url: string;
  /** How many connections were cut. */
  cuts(): number;
  /** From now on connections go there; without any, they are refused, and existing ones reset. */
  lead(targets: readonly string[]): void;
  close(): Promise<void>;
};

export type CuttingOptions = {
  /**
   * By the `X-Client` header of a request: after how many bytes its answer is cut; undefined: never. Default: no answer
   * is.
   */
  readonly cutAfter?: (client: string) => number | undefined;
  /** How long a connection lasts, ms. Default: as long as it is used. */
  readonly lifetimeMs?: number;
};

export async function startCuttingProxy(targets: readonly string[], options: CuttingOptions): Promise<CuttingProxy> {
  const { cutAfter = () => undefined, lifetimeMs } = options;
  const open = new Set<Socket>();
  let [upstream, next, cuts] = [targets, 0, 0];

  const listener = createServer({ noDelay: true }, (client) => {
    client.on("error", () => {});
    const target = upstream[next++ % upstream.length];
    if (target === undefined) return client.resetAndDestroy();
    const { hostname, port } = new URL(target);
    const server = connect({ host: hostname, port: Number(port), noDelay: true });
    open.add(client);
    let left: number | undefined;
    const cut = () => {
      cuts += 1;
      client.destroy();
    };
    const lifetime = lifetimeMs === undefined ? undefined : setTimeout(cut, lifetimeMs);
    client.on("data", (bytes) => {
      const [, name] = /\r\nx-client: (.*)\r\n/i.exec(bytes.toString("latin1")) ?? [];
      if (name !== undefined) left = cutAfter(name);
      server.write(bytes);
    });
    server.on("data", (bytes) => {
      client.write(left === undefined ? bytes : bytes.subarray(0, left));
      if (left === undefined) return;
      left -= bytes.length;
      // What was written reaches the client before the end does.
      if (left <= 0) client.end(cut);
    });
    server.on("error", () => client.resetAndDestroy()).on("close", () => client.end());
    client.on("close", () => {
      clearTimeout(lifetime);
      open.delete(client);
      server.destroy();
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");

  const dropAll = () => {
    for (const client of open) client.resetAndDestroy();
  };
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    cuts: () => cuts,
    lead(others) {
      upstream = others;
      if (others.length === 0) dropAll();
    },
    async close() {
      listener.close();
      dropAll();
      await once(listener, "close");
    },
  };
}
