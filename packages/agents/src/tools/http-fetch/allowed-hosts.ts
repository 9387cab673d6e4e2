/** The list of hosts that `http_fetch` may ask, as the operator writes it. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Where a request goes; a `URL` is one, and so is what undici connects to. */
export type Target = { readonly protocol: string; readonly hostname: string; readonly port: string };

export type AllowedHosts = {
  /** Whether an entry fits the host and the port. */
  allows(target: Target): boolean;
  /** Whether the host is an IP address that stands in the list itself: such a one may be private. */
  lists(target: Target): boolean;
};

type Entry = {
  readonly host: string;
  /** Null for the default port of the protocol. */
  readonly port: number | null;
};

/** Throws at an entry that is none, so that a worker with a wrong list does not start. */
export function parseAllowedHosts(entries: readonly string[]): AllowedHosts {
  const parsed = entries.map(parseEntry);
  const fitsPort = (entry: Entry, { protocol, port }: Target) =>
    entry.port === null ? port === "" : entry.port === Number(port || DEFAULT_PORTS[protocol]);
  return {
    allows: (target) =>
      parsed.some((entry) => fitsPort(entry, target) && fitsHost(entry.host, plainHost(target.hostname))),
    lists: (target) => {
      const host = plainHost(target.hostname);
      return isIP(host) !== 0 && parsed.some((entry) => fitsPort(entry, target) && entry.host === host);
    },
  };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/** Without the brackets of IPv6 and without the dot at the end of a rooted name. */
export const plainHost = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");

function fitsHost(pattern: string, host: string): boolean {
  if (pattern === "*") return true;
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}

function parseEntry(entry: string): Entry {
  const [, host, port] =
    /^(\[[^\]]+\]|[^:/@?#\s]+)(?::(\d{1,5}))?$/.exec(ipaddr.IPv6.isValid(entry) ? `[${entry}]` : entry) ?? [];
  // The URL parser writes each host in one way, that of the requests: lower case, Punycode, dotted decimal.
  const url = host && URL.parse(`http://${host}`);
  if (!url || Number(port) > 65_535 || !/^(\*|(\*\.)?[^*]+)$/.test(url.hostname)) {
    throw new Error(
      `"${entry}" is no host for http_fetch: expected example.com, example.com:8443, *.example.com, an IP address or *`,
    );
  }
  return { host: plainHost(url.hostname), port: port ? Number(port) : null };
}
