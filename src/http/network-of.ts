const GROUPS = 8;
/** Who has one IPv6 address has all that share its first 64 bits. */
const NETWORK_GROUPS = 4;

/** The network an address is in, as one reader: an IPv4 address, or the first half of an IPv6 one. */
export function networkOf(address: string | undefined): string {
  if (address === undefined) return "unknown";
  if (!address.includes(":")) return address;
  const [before = [], after = []] = address.split("::").map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: Math.max(0, GROUPS - before.length - after.length) }, () => "0");
  return [...before, ...zeros, ...after].slice(0, NETWORK_GROUPS).join(":");
}
