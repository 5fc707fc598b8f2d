/** What somebody tries with a signed address beyond what it is for. */

export interface Misuse {
  what: string;
  method: string;
  url: string;
  headers?: Record<string, string>;
  body?: string;
}

const block = Buffer.from('block-1').toString('base64');
const blockList = `<?xml version="1.0"?><BlockList><Latest>${block}</Latest></BlockList>`;

function changed(address: string, change: (url: URL) => void): string {
  const url = new URL(address);
  change(url);
  return url.toString();
}
const withComp = (address: string, comp: string): string => changed(address, (u) => u.searchParams.set('comp', comp));
const renamed = (address: string, path: string): string =>
  changed(address, (u) => {
    const [account = '', container = ''] = u.pathname.split('/').slice(1);
    u.pathname = `/${account}/${path.startsWith('/') ? path.slice(1) : `${container}/${path}`}`;
  });

/** Everything that no signed address of ours allows once its blob is there; `other` is a blob of the same container. */
export function misuses(address: string, other: string): Misuse[] {
  const container = changed(renamed(address, ''), (u) => {
    u.pathname = u.pathname.replace(/\/$/, '');
    u.searchParams.set('restype', 'container');
  });
  const put = { method: 'PUT', headers: { 'x-ms-blob-type': 'BlockBlob' }, body: 'another' };
  return [
    { what: 'lists the container', method: 'GET', url: withComp(container, 'list') },
    { what: 'reads the container', method: 'GET', url: container },
    { what: 'deletes the container', method: 'DELETE', url: container },
    {
      what: 'makes the container public',
      ...put,
      url: withComp(container, 'acl'),
      headers: { 'x-ms-blob-public-access': 'blob' },
    },
    {
      what: 'lists containers',
      method: 'GET',
      url: withComp(
        changed(address, (u) => (u.pathname = '/devstoreaccount1')),
        'list',
      ),
    },
    { what: 'deletes it', method: 'DELETE', url: address },
    { what: 'sets metadata', ...put, url: withComp(address, 'metadata'), headers: { 'x-ms-meta-label': 'other' } },
    { what: 'sets properties', ...put, url: withComp(address, 'properties') },
    { what: 'sets tags', ...put, url: withComp(address, 'tags') },
    {
      what: 'leases it',
      ...put,
      url: withComp(address, 'lease'),
      headers: { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '-1' },
    },
    { what: 'restores it', ...put, url: withComp(address, 'undelete') },
    { what: 'changes its tier', ...put, url: withComp(address, 'tier'), headers: { 'x-ms-access-tier': 'Archive' } },
    { what: 'commits other blocks', ...put, url: withComp(address, 'blocklist'), body: blockList },
    { what: 'appends to it', ...put, url: withComp(address, 'appendblock') },
    { what: 'overwrites it', ...put, url: address },
    { what: 'overwrites it as another kind', ...put, url: address, headers: { 'x-ms-blob-type': 'AppendBlob' } },
    {
      what: 'copies over it',
      ...put,
      url: address,
      headers: { 'x-ms-copy-source': address, 'x-ms-requires-sync': 'true' },
    },
    { what: 'reads another blob', method: 'GET', url: renamed(address, other) },
    { what: 'deletes another blob', method: 'DELETE', url: renamed(address, other) },
    { what: 'overwrites another blob', ...put, url: renamed(address, other) },
    { what: 'writes into models', ...put, url: renamed(address, '/models/x') },
    {
      what: 'gives itself more rights',
      method: 'DELETE',
      url: changed(address, (u) => u.searchParams.set('sp', 'racwdl')),
    },
    {
      what: 'makes itself last longer',
      ...put,
      url: changed(address, (u) => u.searchParams.set('se', '2099-01-01T00:00:00Z')),
    },
    {
      what: 'makes itself one of the container',
      ...put,
      url: renamed(
        changed(address, (u) => u.searchParams.set('sr', 'c')),
        'new',
      ),
    },
    { what: 'comes without its signature', method: 'GET', url: changed(address, (u) => u.searchParams.delete('sig')) },
  ];
}

/** What an address that creates one blob may not do either. */
export const readsAndNewNames = (address: string): Misuse[] => [
  { what: 'reads it', method: 'GET', url: address },
  { what: 'reads its properties', method: 'HEAD', url: address },
  {
    what: 'writes a new name',
    method: 'PUT',
    url: renamed(address, 'digits/new.png'),
    headers: { 'x-ms-blob-type': 'BlockBlob' },
    body: 'x',
  },
];

/** Status of the answer to a misuse. */
export async function attempt({ method, url, headers, body }: Misuse): Promise<number> {
  const answer = await fetch(url, {
    method,
    headers: { 'x-ms-version': '2021-12-02', ...headers },
    body: body ?? null,
  });
  await answer.arrayBuffer();
  return answer.status;
}
