/** One round of `npm run torture`: what was acknowledged survives kill -9 of any process. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import { type Parts, startParts } from './parts.ts';
import { newLedger } from './load.ts';
import { prepare, runRound } from './round.ts';

let folder: string;
let parts: Parts;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'darkroom-torture-'));
  parts = await startParts(folder);
}, 120_000);
afterAll(async () => {
  await parts?.close();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

test(
  'nothing acknowledged is lost or doubled when processes are killed at any moment',
  { timeout: 300_000 },
  async () => {
    const ports = connect(readConfig(parts.settings));
    const shared = { parts, ports, folder, project: 'torture', ledger: newLedger() };
    await prepare(shared);
    const report = await runRound({ ...shared, seed: 2, digits: 60, seconds: 8, say: () => undefined });
    expect(report.violations).toEqual([]);
    expect(Object.values(report.kills).reduce((a, b) => a + b, 0)).toBeGreaterThan(2);
    expect(report.uploads).toBeGreaterThan(59);
    expect(report.answers['score 200'] ?? 0).toBeGreaterThan(0);
  },
);
