/**
 * What the kernel knows of TCP connections and Node does not tell: how many bytes the peer has not acknowledged, which
 * on fast links may be megabytes, and how often the kernel has repeated them in vain. Linux lists all connections of
 * the network namespace in two files.
 */
import { readFile } from "node:fs/promises";
import { endianness } from "node:os";

const FILES = { ipv4: "/proc/net/tcp", ipv6: "/proc/net/tcp6" } as const;
type Family = keyof typeof FILES;

/** Other systems have no such lists. */
export const tellsOfConnections = process.platform === "linux";

/** `sl: local-address:port remote-address:port state tx_queue:rx_queue tr:tm retrnsmt`, in hexadecimal digits. */
const CONNECTION =
  /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]+:[0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):[0-9A-F]{8} [0-9A-F:]{11} ([0-9A-F]{8}) /;

/** What identifies a connection in the kernel's lists. */
export type ConnectionId = { readonly family: Family; readonly key: string };

/** The ends of a connection, as Node's sockets name them. */
export type SocketEnds = {
  readonly localPort?: number | undefined;
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
};

/** Null for a socket that is no TCP connection, or no longer one. */
export function connectionIdOf({ localPort, remoteAddress, remotePort }: SocketEnds): ConnectionId | null {
  if (localPort === undefined || remoteAddress === undefined || remotePort === undefined) return null;
  const family = remoteAddress.includes(":") ? "ipv6" : "ipv4";
  const bytes = family === "ipv6" ? bytesOfIpv6(remoteAddress) : bytesOfIpv4(remoteAddress);
  return { family, key: `${hex(localPort, 4)} ${asWords(bytes)}:${hex(remotePort, 4)}` };
}

export type Sending = {
  /** Bytes that the peer has not acknowledged. */
  readonly queued: number;
  /** How often the kernel has repeated the first of them; an acknowledgement ends the count. */
  readonly repeats: number;
};

/** By key, of the given connections; those that are gone are missing. */
export async function readSending(ids: readonly ConnectionId[]): Promise<Map<string, Sending>> {
  const wanted = new Set(ids.map(({ key }) => key));
  const sending = new Map<string, Sending>();
  for (const family of new Set(ids.map((id) => id.family))) {
    for (const line of (await readFile(FILES[family], "latin1")).split("\n")) {
      const [, port, remote, queued = "", repeats = ""] = CONNECTION.exec(line) ?? [];
      const key = `${port} ${remote}`;
      if (wanted.has(key))
        sending.set(key, { queued: Number.parseInt(queued, 16), repeats: Number.parseInt(repeats, 16) });
    }
  }
  return sending;
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, "0");

/** The kernel prints addresses as numbers of 32 bits in the order of the machine. */
function asWords(bytes: readonly number[]): string {
  const words = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.slice(4 * at, 4 * at + 4));
  const ordered = endianness() === "LE" ? words.map((word) => word.toReversed()) : words;
  return ordered.map((word) => word.map((byte) => hex(byte, 2)).join("")).join("");
}

const bytesOfIpv4 = (address: string): number[] => address.split(".").map(Number);

/** Of an address as Node prints it: with one `::` at most, and perhaps with a zone, or with the last part as IPv4. */
function bytesOfIpv6(address: string): number[] {
  const [head = [], tail = []] = (address.split("%")[0] ?? "").split("::").map((half) =>
    half.split(":").flatMap((group) => {
      if (group === "") return [];
      const value = Number.parseInt(group, 16);
      return group.includes(".") ? bytesOfIpv4(group) : [value >> 8, value & 0xff];
    }),
  );
  return [...head, ...Array.from({ length: 16 - head.length - tail.length }, () => 0), ...tail];
}
