/** Which addresses are on the public Internet. What is not known to be public is not. */
import ipaddr from "ipaddr.js";

/** All IPv6 unicast addresses that are given out; the rest holds what embeds or translates IPv4 addresses. */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR("2000::/3");

/** Public by its number, but the host's own agent inside Azure: it answers virtual machines with their secrets. */
const AZURE_HOST_AGENT = "168.63.129.16";

/** The address as DNS or the URL parser writes it. */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address) || address === AZURE_HOST_AGENT) return false;
  const parsed = ipaddr.parse(address);
  return parsed.range() === "unicast" && (parsed.kind() === "ipv4" || parsed.match(GLOBAL_IPV6));
}
