import type { ServiceBusReceivedMessage } from '@azure/service-bus';
import { expect, test } from 'vitest';
import { fromMessage } from '../../../local/functions-host/service-bus-message.ts';

const message = (body: unknown, more: object = {}) => ({ body, ...more }) as unknown as ServiceBusReceivedMessage;

test('metadata has the names, types and time formats of the .NET host, and no nulls', () => {
  const { triggerMetadata } = fromMessage(
    message('x', {
      messageId: '42',
      deliveryCount: 0,
      sequenceNumber: 7n,
      enqueuedTimeUtc: new Date('2026-11-23T10:00:00.120Z'),
      expiresAtUtc: new Date('2026-12-07T10:00:00Z'),
      subject: 's',
      applicationProperties: { EventType: 'a' },
    }),
    undefined,
  );
  expect(triggerMetadata).toEqual({
    DeliveryCount: { json: '1' },
    SequenceNumber: { json: '7' },
    MessageId: { string: '42' },
    EnqueuedTimeUtc: { json: '"2026-11-23T10:00:00.12"' },
    EnqueuedTime: { json: '"2026-11-23T10:00:00.12+00:00"' },
    ExpiresAtUtc: { json: '"2026-12-07T10:00:00"' },
    ExpiresAt: { json: '"2026-12-07T10:00:00+00:00"' },
    Subject: { string: 's' },
    Label: { string: 's' },
    ApplicationProperties: { json: '{"EventType":"a"}' },
    UserProperties: { json: '{"EventType":"a"}' },
  });
});

test('the body overwrites metadata whatever the case, as texts of .NET; arrays and nulls stay out', () => {
  const body = {
    deliveryCount: 9,
    MESSAGEID: 'spoofed',
    done: true,
    time: '2026-11-23T10:00:00Z',
    data: { a: 1 },
    list: [1],
    none: null,
  };
  const { data, triggerMetadata } = fromMessage(
    message(Buffer.from(JSON.stringify(body)), { messageId: 'real', deliveryCount: 0 }),
    undefined,
  );
  expect(data).toEqual({ string: JSON.stringify(body) });
  expect(triggerMetadata).toMatchObject({
    DeliveryCount: { string: '9' },
    MessageId: { string: 'spoofed' },
    done: { string: 'True' },
    time: { string: '11/23/2026 10:00:00' },
    data: { json: '{"a":1}' },
  });
  expect(Object.keys(triggerMetadata)).not.toEqual(expect.arrayContaining(['list']));
  expect(Object.keys(triggerMetadata)).not.toEqual(expect.arrayContaining(['none']));
});

test.each([63, 64, 30_000])(
  'a body of %i levels arrives; nothing is copied out of what Json.NET does not read',
  (levels) => {
    const text = `{"id":"x","data":${'{"]":'.repeat(levels)}"}"${'}'.repeat(levels)}}`;
    const { data, triggerMetadata } = fromMessage(message(Buffer.from(text), { messageId: 'real' }), undefined);
    expect(data).toEqual({ string: text });
    expect(triggerMetadata['id']).toEqual(levels < 64 ? { string: 'x' } : undefined);
  },
);

test.each([
  ['bytes that are no UTF-8', Buffer.from([0x61, 0xff]), 'a\uFFFD'],
  ['a text', 'text', 'text'],
  ['an AMQP value', { a: 1 }, '{"a":1}'],
])('%s arrive as text', (_, body, text) => {
  expect(fromMessage(message(body), undefined).data).toEqual({ string: text });
});

test('dataType binary keeps the bytes, and copies nothing out of them', () => {
  const body = Buffer.from('{"deliveryCount":9}');
  const { data, triggerMetadata } = fromMessage(message(body, { deliveryCount: 2 }), 'binary');
  expect(data).toEqual({ bytes: body });
  expect(triggerMetadata['DeliveryCount']).toEqual({ json: '3' });
});
