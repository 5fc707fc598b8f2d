import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

test('a service that is started with a wrong argument says which and how it is called, and ends with 2', () => {
  const run = spawnSync(process.execPath, ['local/cosmos/server.ts', '--prot', '1'], { encoding: 'utf8' });
  expect([run.status, run.stdout, run.stderr]).toEqual([
    2,
    '',
    "Unknown option '--prot'\nUsage: node local/cosmos/server.ts [--port 8081] [--data DIR]\n",
  ]);
});
