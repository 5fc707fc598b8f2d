import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { blobContainers, documentContainers, queueNames } from '../../shared/resources.ts';
import { at, ofType, resourcesOf } from './templates.ts';

const page = readFileSync(path.join(import.meta.dirname, '..', '..', 'docs', 'infrastructure.md'), 'utf8');

test('docs/infrastructure.md states the days for which erased scans exist', () => {
  const days = (environment: 'dev' | 'prod') =>
    ofType(resourcesOf(environment), 'Microsoft.Storage/storageAccounts/blobServices')
      .filter(({ name }) => name.startsWith('stdata'))
      .map((one) => at(one, 'properties.deleteRetentionPolicy.days'))[0];
  expect(page).toContain(`\`softDeleteDays\` more (${String(days('dev'))}; prod ${String(days('prod'))})`);
  const [account] = ofType(resourcesOf('prod'), 'Microsoft.DocumentDB/databaseAccounts');
  expect(at(account, 'properties.backupPolicy.continuousModeProperties.tier')).toBe('Continuous7Days');
  expect(page).toMatch(/deleted documents +\| 7 more days/);
  const [workspace] = ofType(resourcesOf('prod'), 'Microsoft.OperationalInsights/workspaces');
  expect(page).toMatch(new RegExp(`audit logs +\\| ${String(at(workspace, 'properties.retentionInDays'))} days`));
});

test('docs/infrastructure.md counts queues and containers right, and names their lifetimes', () => {
  const words = ['none', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];
  const told = Object.values(blobContainers).filter(({ events }) => events !== null);
  expect(page).toContain(`the ${words[Object.keys(blobContainers).length]} data containers`);
  expect(page).toContain(`the ${words[queueNames.length]} queues`);
  expect(page).toContain(`send to its ${words[told.length]} queues`);
  const { uploads, quarantine, jobs } = blobContainers;
  expect([uploads, quarantine, jobs].map(({ expiresAfterDays }) => expiresAfterDays)).toEqual([30, 30, 30]);
  expect(documentContainers.predictions.ttlSeconds / 86_400).toBe(90);
});
