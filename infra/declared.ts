/** What code and templates have to agree on, in the shape of the type `declared` in types.bicep. */
import {
  blobContainers,
  databaseName,
  documentContainers,
  maxRequestBytes,
  queues,
  sweepSchedule,
  trainerJob,
} from '../shared/resources.ts';
import { workbook } from './workbook.ts';

const named = <T extends object>(record: Record<string, T>) =>
  Object.entries(record).map(([name, settings]) => ({ name, ...settings }));

/** Files of infra/ that are written from the code, by name. */
export function generatedFiles(): Record<string, string> {
  const declared = {
    database: databaseName,
    queues: named(queues),
    blobContainers: named(blobContainers),
    documentContainers: named(documentContainers),
    sweepSchedule,
    maxRequestBytes,
    trainerJob,
  };
  return { 'declared.json': `${JSON.stringify(declared, undefined, 2)}\n`, 'workbook.json': workbook() };
}
