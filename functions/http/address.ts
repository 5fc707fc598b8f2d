/** From where a request comes. */

/**
 * The address of the client, or of the proxy nearest to us. Azure's front end writes it into `client-ip`, over whatever the
 * client says, with a port (https://github.com/Azure/app-service-linux-docs, "headers"). Where that is missing, the last
 * entry of `x-forwarded-for` counts: each proxy appends what it has seen, so only the first ones can be made up. A client
 * of IPv6 has a whole /64, which counts as one address.
 */
export function addressOf(headers: { get(name: string): string | null }): string {
  const told = headers.get('client-ip') ?? headers.get('x-forwarded-for')?.split(',').at(-1) ?? '';
  const [, bracketed, ipv4] = /^\[([^\]]+)\](?::\d+)?$|^([^:]+)(?::\d+)?$/.exec(told.trim()) ?? [];
  if (ipv4 !== undefined) return ipv4;
  return (bracketed ?? told.trim()).split(':').slice(0, 4).join(':');
}
