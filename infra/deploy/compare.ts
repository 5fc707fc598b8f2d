/**
 * `npm run deploy:compare -- --environment prod`: has it become worse since the package was deployed? Waits up to
 * `--minutes` (20) for enough telemetry, compares it with that of the `--hours` (24) before, and ends with 1 when worse.
 */
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { ContainerClient } from '@azure/storage-blob';
import * as z from 'zod';
import { signedIn } from '../../shared/azure/person.ts';
import { command, summarise } from './command.ts';
import { compareTelemetry, comparisonAsMarkdown, minimumSamples, overall, type Share } from './comparison.ts';
import { environmentNamed, outputsOf } from './environment.ts';
import { deploymentsOf } from './releases.ts';
import { countsAround } from './telemetry.ts';

const pauseMs = 60_000;
const shape = z.object({
  environment: z.string().optional(),
  hours: z.coerce.number().min(1).max(720),
  minutes: z.coerce.number().min(0).max(120),
});

/** Stages that had enough records before, and have not enough yet: another minute may tell more. */
const isOpen = ({ before, verdict }: Share): boolean => verdict === 'too few samples' && before.of >= minimumSamples;

await command(async () => {
  const { values } = parseArgs({
    options: {
      environment: { type: 'string' },
      hours: { type: 'string', default: '24' },
      minutes: { type: 'string', default: '20' },
    },
  });
  const { environment: name, hours, minutes } = shape.parse(values);
  const environment = environmentNamed(name);
  const { insightsId, releasesUri } = await outputsOf(environment);
  const credential = signedIn();
  const [latest] = await deploymentsOf(new ContainerClient(releasesUri, credential));
  if (latest === undefined)
    throw new Error(`Nothing was deployed to ${environment.name} by \`npm run deploy:package\``);
  const until = performance.now() + minutes * 60_000;
  for (;;) {
    const shares = compareTelemetry(await countsAround(insightsId, latest.at, hours, credential));
    const verdict = overall(shares);
    if (verdict === 'worse' || performance.now() > until || (shares.length > 0 && !shares.some(isOpen))) {
      await summarise(comparisonAsMarkdown(environment.name, latest.at, hours, shares));
      return verdict === 'worse' ? 1 : 0;
    }
    console.log(
      `${shares.filter(isOpen).length} measures wait for more records; ${Math.ceil((until - performance.now()) / 60_000)} minutes at most`,
    );
    await sleep(pauseMs);
  }
});
