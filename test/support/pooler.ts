/**
 * What stands between a client and PostgreSQL where a pooler does not pass the settings of connections on: one that
 * refuses them, or one that is told to ignore them.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export type Pooler = { readonly url: string; close(): Promise<void> };

/** Length and version of the protocol come before the parameters. */
const HEAD_BYTES = 8;

export async function startPooler(target: string, way: "refuses" | "ignores"): Promise<Pooler> {
  const url = new URL(target);
  const { hostname, port } = url;
  const open = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (client) => {
    open.add(client);
    client.on("error", () => {}).on("close", () => open.delete(client));
    client.once("data", (startup: Buffer) => {
      if (way === "refuses") return void client.end(refusal("unsupported startup parameter: options"));
      const server = connect({ host: hostname, port: Number(port), noDelay: true });
      open.add(server);
      server.on("error", () => {}).on("close", () => client.destroy());
      client.on("close", () => server.destroy());
      server.write(withoutOptions(startup));
      client.pipe(server);
      server.pipe(client);
    });
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  url.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return {
    url: url.href,
    async close() {
      for (const socket of open) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}

function withoutOptions(startup: Buffer): Buffer {
  const fields = startup.subarray(HEAD_BYTES).toString().split("\0");
  const at = fields.indexOf("options");
  const rest = Buffer.from(fields.toSpliced(at, 2).join("\0"));
  const head = Buffer.from(startup.subarray(0, HEAD_BYTES));
  head.writeInt32BE(HEAD_BYTES + rest.length);
  return Buffer.concat([head, rest]);
}

function refusal(message: string): Buffer {
  const body = Buffer.from(`SFATAL\0C08P01\0M${message}\0\0`);
  const head = Buffer.alloc(5);
  head.write("E");
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}
