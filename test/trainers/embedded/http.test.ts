import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { create } from '../../../trainers/embedded/http.ts';
import { startStorage, type Storage } from '../conformance/storage.ts';

const path = '/out/model.onnx';
let storage: Storage;
beforeEach(async () => {
  storage = await startStorage();
});
afterEach(() => storage.close());

const put = () => {
  const url = storage.sign(path, 'create', new Date(Date.now() + 60_000));
  return create(url, Buffer.from('mine'), 'application/octet-stream');
};

describe.each([
  { status: 403, code: 'UnauthorizedBlobOverwrite' },
  { status: 409, code: 'BlobAlreadyExists' },
  { status: 412, code: 'ConditionNotMet' },
])('a blob that is there, by $status $code', (refusal) => {
  beforeEach(() => void Object.assign(storage.refusal, refusal));

  test("is somebody else's at the first try", async () => {
    storage.blobs.set(path, Buffer.from('theirs'));
    expect(await put()).toBe('exists');
    expect(storage.blobs.get(path)?.toString()).toBe('theirs');
  });

  test('is ours after a try whose answer was lost', async () => {
    storage.trouble = ({ nth }) => (nth === 1 ? { lost: 'after' } : undefined);
    expect(await put()).toBe('created');
  });
});

test.each(['AuthenticationFailed', 'AuthorizationPermissionMismatch'])(
  'a 403 %s says nothing of the blob, and lasts',
  async (code) => {
    storage.trouble = ({ nth }) => (nth === 1 ? { lost: 'after' } : { status: 403, code });
    await expect(put()).rejects.toThrow('PUT was answered 403');
  },
);
