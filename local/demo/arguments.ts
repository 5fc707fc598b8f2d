/** What `npm run demo` can be asked. */
import { parseArgs } from 'node:util';

export const usage = 'npm run demo -- [detection [--short] | --images DIR] [--json]';

export interface Arguments {
  json: boolean;
  /** a folder of `<label>/<file>`; undefined: the digits */
  images: string | undefined;
  /** scenes to detect objects in; short: fewer of them */
  detection: false | 'whole' | 'short';
}

/** Reads the arguments. Throws when they are wrong, with what can be asked. */
export function readArguments(args: string[]): Arguments {
  const options = {
    json: { type: 'boolean', default: false },
    images: { type: 'string' },
    short: { type: 'boolean', default: false },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const { json, images, short } = values;
    const [story, ...others] = positionals;
    const unknown = story === 'detection' ? others[0] : story;
    if (unknown !== undefined) throw new Error(`Unexpected argument '${unknown}'`);
    if (story === 'detection' && images !== undefined) throw new Error("'detection' makes its own images");
    if (story === undefined && short) throw new Error("'--short' is for detection");
    return { json, images, detection: story === undefined ? false : short ? 'short' : 'whole' };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    // what Node adds about positional arguments helps nobody here
    const brief = message.replace(/\. (To specify a positional|This command does not take)[^]*$/u, '');
    throw new Error(`${brief}. Usage: ${usage}`, { cause });
  }
}
