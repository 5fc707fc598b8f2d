/** Imported by `--import` into every Node process below a test that records. */
import { recordNetwork, variables } from './record.ts';

const { [variables.file]: file, [variables.proxy]: proxy } = process.env;
if (file !== undefined && proxy !== undefined) recordNetwork(file, proxy);
