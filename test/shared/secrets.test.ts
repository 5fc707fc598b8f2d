import { expect, onTestFinished, test, vi } from 'vitest';
import { logTelemetry } from '../../shared/azure/telemetry.ts';
import { newKey } from '../../shared/key/secret.ts';
import { withoutSecrets } from '../../shared/secrets.ts';

const key = newKey(Buffer.alloc(32, 7));
const secret = 'c2VjcmV0c2VjcmV0c2VjcmV0';
const texts = [
  `PUT https://a.blob.core.windows.net/uploads/digits/7/a.png?sv=2025&sig=${secret}%3D&sp=c failed`,
  `GET http://127.0.0.1:7071/api/x?code=${secret} was answered 500`,
  `the key ${key} is refused`,
  `Endpoint=sb://h/;SharedAccessKeyName=a;SharedAccessKey=${secret}=`,
  `DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${secret}==;EndpointSuffix=x`,
  `authorization: Bearer ${secret}.${secret}`,
];

test('what would let a reader in is taken out, and the rest stays', () => {
  for (const text of texts) {
    expect(withoutSecrets(text)).not.toContain(secret);
    expect(withoutSecrets(text)).not.toContain(key.slice(3));
    expect(withoutSecrets(text)).toContain('***');
    expect(withoutSecrets(text).slice(0, 10)).toBe(text.slice(0, 10));
  }
  const plain = 'Training t1 failed: accuracy 95.9 % (208 of 217); see ?limit=10&after=x';
  expect(withoutSecrets(plain)).toBe(plain);
});

test('no record of telemetry has one, whatever field it came in', () => {
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
  onTestFinished(() => log.mockRestore());
  const telemetry = logTelemetry(() => new Date(0));
  for (const text of texts) {
    telemetry.problem(text, { detail: text });
    telemetry.stage({ stage: 'ingest', project: 'digits', outcome: 'retried', durationMs: 1, ids: { reason: text } });
    telemetry.metric('stage-milliseconds', 1, { outcome: text });
  }
  expect(lines).toHaveLength(3 * texts.length);
  for (const line of lines) {
    expect(JSON.parse(line)).toHaveProperty('event');
    expect(line).not.toContain(secret);
    expect(line).not.toContain(key.slice(3));
  }
});
