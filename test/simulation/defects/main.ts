/** `node test/simulation/defects/main.ts [--seeds N]`: after how many random seeds each deliberate defect is noticed. */
import { defects } from './defects.ts';
import { seek, type Sought } from './seek.ts';
import { readArguments } from '../../../local/read-arguments.ts';

const { values } = readArguments('node test/simulation/defects/main.ts [--seeds N]', {
  options: { seeds: { type: 'string', default: '5000' } },
});
const most = Number(values.seeds);
/** not the seeds that are recorded for `npm test` */
const from = 100_001;

const rows: (Sought & { name: string })[] = [];
for (const [i, defect] of defects.entries()) {
  const sought = await seek(defect, from, most);
  rows.push({ name: defect.name, ...sought });
  console.error(
    `${i + 1}/${defects.length} ${defect.name}: ${sought.seed === null ? 'NOT FOUND' : `seed ${sought.seed}`}`,
  );
}
const width = Math.max(...rows.map(({ name }) => name.length));
console.log(`${'defect'.padEnd(width)}  seeds  seed    what was noticed`);
for (const { name, seeds, seed, violation } of rows)
  console.log(
    `${name.padEnd(width)}  ${String(seeds).padStart(5)}  ${String(seed ?? 'none').padEnd(6)}  ${violation.slice(0, 110)}`,
  );
const found = rows.filter(({ seed }) => seed !== null).length;
console.log(`${found} of ${rows.length} defects found`);
process.exitCode = found === rows.length ? 0 : 1;
