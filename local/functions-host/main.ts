/**
 * Runs a host as a process: `node local/functions-host/main.ts --app DIR --entry FILE --port N [--functions a,b]`.
 * App settings are this process's environment; FUNCTION_KEYS may hold access keys as a JSON object.
 * Prints `ready <port>` when it takes work, log lines as NDJSON to stderr; ends gracefully on SIGTERM and SIGINT.
 */
import { z } from 'zod';
import { startFunctionsHost } from './host.ts';
import { readArguments } from '../read-arguments.ts';

const { values } = readArguments(
  'node local/functions-host/main.ts --app DIR --entry FILE [--port N] [--functions A,B]',
  {
    options: {
      app: { type: 'string' },
      entry: { type: 'string' },
      port: { type: 'string', default: '0' },
      functions: { type: 'string' },
    },
  },
);
if (!values.app || !values.entry) throw new Error('usage: main.ts --app DIR --entry FILE --port N [--functions a,b]');

const { FUNCTION_KEYS, ...environment } = process.env;
const settings = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, value ?? '']));
const host = await startFunctionsHost({
  appRoot: values.app,
  entry: values.entry,
  port: z.coerce.number().int().min(0).max(65_535).parse(values.port),
  settings,
  keys: z.record(z.string(), z.string()).parse(JSON.parse(FUNCTION_KEYS ?? '{}')),
  ...(values.functions && { functions: values.functions.split(',') }),
  onLog: (line) => process.stderr.write(`${JSON.stringify(line)}\n`),
});
process.stdout.write(`ready ${host.port}\n`);

const end = () => void host.close().then(() => process.exit(0));
process.on('SIGTERM', end);
process.on('SIGINT', end);
// Started with an IPC channel, it goes with the one who started it.
process.on('disconnect', end);
