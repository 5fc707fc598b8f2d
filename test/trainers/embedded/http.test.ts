import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { create } from '../../../trainers/embedded/http.ts';
import { type BlobServer, startBlobServer } from './blob-server.ts';

let server: BlobServer;
beforeEach(async () => {
  server = await startBlobServer();
});
afterEach(() => server.close());

const put = () => create(`${server.base}/out/model.onnx?sig=x`, Buffer.from('mine'), 'application/octet-stream');

describe.each([
  { status: 403, code: 'UnauthorizedBlobOverwrite' },
  { status: 409, code: 'BlobAlreadyExists' },
  { status: 412, code: 'ConditionNotMet' },
])('a blob that is there, by $status $code', (refusal) => {
  beforeEach(() => void Object.assign(server.refusal, refusal));

  test("is somebody else's at the first try", async () => {
    server.blobs.set('/out/model.onnx', Buffer.from('theirs'));
    expect(await put()).toBe('exists');
    expect(server.blobs.get('/out/model.onnx')?.toString()).toBe('theirs');
  });

  test('is ours after a try whose answer was lost', async () => {
    server.lostAnswers.set('/out/model.onnx', 1);
    expect(await put()).toBe('created');
  });
});

test.each(['AuthenticationFailed', 'AuthorizationPermissionMismatch'])(
  'a 403 %s says nothing of the blob, and lasts',
  async (code) => {
    Object.assign(server.refusal, { status: 403, code });
    server.lostAnswers.set('/out/model.onnx', 1);
    await expect(put()).rejects.toThrow('PUT was answered 403');
  },
);
