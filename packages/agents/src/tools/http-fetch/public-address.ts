/** Which addresses are on the public Internet. An address that is not known to be public counts as private. */
import ipaddr from "ipaddr.js";

/** All global IPv6 unicast addresses. Addresses outside may embed or translate IPv4 addresses. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

/** A public address by its range, but inside Azure it is the host agent, which returns a virtual machine's secrets. */
const AZURE_HOST_AGENT = "168.63.129.16";

/** `address`: as DNS or the URL parser writes it. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address) || address === AZURE_HOST_AGENT) return false;
  const parsed = ipaddr.parse(address);
  return parsed.range() === "unicast" && (parsed.kind() === "ipv4" || parsed.match(GLOBAL_IPV6));
}
