/**
 * One suite for the fakes of the simulator, for the local services, and for an account in Azure whose settings are in the
 * file that CONFORMANCE_SETTINGS names (CONTRIBUTING.md): what passes in a simulation may be believed of Azure.
 */
import { afterAll, describe } from 'vitest';
import { blobsConform } from './blobs.ts';
import { computeConforms } from './compute.ts';
import { documentsConform } from './documents.ts';
import { openFakes } from './fakes.ts';
import { messagesConform } from './messages.ts';
import { openAccount, openLocal } from './services.ts';
import type { Open, Subject } from './subject.ts';

const account = process.env['CONFORMANCE_SETTINGS'];

const subjects: [string, Open][] = [
  ['the fakes of the simulator', () => Promise.resolve(openFakes())],
  ['the local services', openLocal],
  ...(account === undefined ? [] : [[`the account of ${account}`, () => openAccount(account)] as [string, Open]]),
];

describe.each(subjects)('%s', (_name, openOne) => {
  let opened: Promise<Subject> | undefined;
  const open: Open = () => (opened ??= openOne());
  afterAll(async () => (await opened)?.close());

  describe('documents', () => documentsConform(open));
  describe('blobs', () => blobsConform(open));
  describe('messages', () => messagesConform(open));
  describe('compute', () => computeConforms(open, 'compute', { startsTwice: true }));
  describe('compute of Azure Machine Learning', () => computeConforms(open, 'machineLearning', { startsTwice: false }));
});
