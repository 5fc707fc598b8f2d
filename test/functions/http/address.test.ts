import { expect, test } from 'vitest';
import { addressOf } from '../../../functions/http/address.ts';

test.for([
  [
    'what the front end wrote, without the port',
    { 'client-ip': '10.0.0.1:4711', 'x-forwarded-for': '1.2.3.4' },
    '10.0.0.1',
  ],
  [
    'the last proxy’s word where the front end wrote nothing',
    { 'x-forwarded-for': '6.6.6.6, 10.0.0.1:80' },
    '10.0.0.1',
  ],
  ['the network of an IPv6 address', { 'client-ip': '[2001:db8:1:2:3:4:5:6]:4711' }, '2001:db8:1:2'],
  ['the network of an IPv6 address without a port', { 'client-ip': '2001:db8:1:2::6' }, '2001:db8:1:2'],
  ['nothing', {}, ''],
] as const)('an address is %s', ([, headers, address]) => {
  expect(addressOf(new Headers(headers))).toBe(address);
});
