/** Parses the operator's list of hosts that `http_fetch` may connect to, and matches targets against it. */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** The target of a request. A `URL` is one, and so are the options of undici's `connect`. */
export type Target = { readonly protocol: string; readonly hostname: string; readonly port: string };

export type AllowedHosts = {
  /** Whether an entry matches the host and the port. */
  allows(target: Target): boolean;
  /** Whether the host is an IP address that the list names. Such an address may be private. */
  lists(target: Target): boolean;
};

type Entry = {
  readonly host: string;
  /** Null: the default port of the protocol. */
  readonly port: number | null;
};

/** Throws at an invalid entry, so that a worker with a wrong list does not start. */
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

/** Removes the brackets of IPv6 and the final dot of a rooted name. */
export const plainHost = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");

function fitsHost(pattern: string, host: string): boolean {
  if (pattern === "*") return true;
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}

function parseEntry(entry: string): Entry {
  const [, host, port] =
    /^(\[[^\]]+\]|[^:/@?#\s]+)(?::(\d{1,5}))?$/.exec(ipaddr.IPv6.isValid(entry) ? `[${entry}]` : entry) ?? [];
  // The URL parser normalizes hosts as it does for requests: lower case, Punycode, dotted decimal.
  const url = host && URL.parse(`http://${host}`);
  if (!url || Number(port) > 65_535 || !/^(\*|(\*\.)?[^*]+)$/.test(url.hostname)) {
    throw new Error(
      `"${entry}" is no host for http_fetch: expected example.com, example.com:8443, *.example.com, an IP address or *`,
    );
  }
  return { host: plainHost(url.hostname), port: port ? Number(port) : null };
}
