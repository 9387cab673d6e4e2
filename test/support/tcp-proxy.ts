/** A TCP proxy whose connections can fall silent without being closed, as a link does whose packets are lost. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

type Link = { readonly client: Socket; readonly server: Socket; isSilent: boolean };

export type TcpProxy = {
  /** The URL of the target, with the proxy in place of its host. */
  readonly url: string;
  /** Open connections that pass bytes. */
  passing(): number;
  /** Connections whose bytes vanish in both directions. Neither side learns that the other one has closed. */
  silent(): number;
  /** From now on all existing connections are silent; new ones are silent while `alsoNew` is set. */
  silence(options?: { readonly alsoNew?: boolean }): void;
  /** New connections pass again; the silent ones stay silent. */
  admit(): void;
  /** From now on what the target answers on existing connections vanishes, while it goes on receiving. */
  deafen(): void;
  /** From now on what the target answers on existing connections is not taken: its buffers fill up. */
  clog(): void;
  /** Closes all existing connections. */
  sever(): void;
  close(): Promise<void>;
};

export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const url = new URL(target);
  const { hostname, port } = url;
  const links = new Set<Link>();
  let newAreSilent = false;

  function silenceLink(link: Link): void {
    link.isSilent = true;
    for (const socket of [link.client, link.server]) socket.unpipe().resume();
  }

  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ host: hostname, port: Number(port), noDelay: true });
    const link: Link = { client, server, isSilent: false };
    links.add(link);
    const closeBoth = () => {
      if (link.isSilent) return;
      links.delete(link);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", () => {}).on("close", closeBoth);
    client.pipe(server);
    server.pipe(client);
    if (newAreSilent) silenceLink(link);
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  url.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;

  const count = (isSilent: boolean) => [...links].filter((link) => link.isSilent === isSilent).length;
  return {
    url: url.href,
    passing: () => count(false),
    silent: () => count(true),
    silence({ alsoNew = false } = {}) {
      newAreSilent = alsoNew;
      for (const link of links) if (!link.isSilent) silenceLink(link);
    },
    admit() {
      newAreSilent = false;
    },
    deafen() {
      for (const { server } of links) server.unpipe().resume();
    },
    clog() {
      for (const { server } of links) server.unpipe().pause();
    },
    sever() {
      for (const { client, server } of links) {
        client.destroy();
        server.destroy();
      }
      links.clear();
    },
    async close() {
      listener.close();
      for (const { client, server } of links) {
        client.destroy();
        server.destroy();
      }
      if (listener.listening) await once(listener, "close");
    },
  };
}
