/** Loaded before a simulation by `node --import`: plants the defect that DEFECT names while its source is loaded. */
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { defects, plant } from './defects.ts';

const defect = defects.find(({ name }) => name === process.env['DEFECT']);
if (defect === undefined)
  throw new Error(`DEFECT names no defect; they are: ${defects.map(({ name }) => name).join(', ')}`);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const target = pathToFileURL(`${root}${defect.file}`).href;

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    if (url !== target) return loaded;
    return { ...loaded, source: plant(defect, Buffer.from(loaded.source as Uint8Array).toString('utf8')) };
  },
});
