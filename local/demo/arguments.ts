/** What `npm run demo` can be asked. */
import { parseArgs } from 'node:util';

export const usage = 'npm run demo -- [--images DIR] [--json]';

export interface Arguments {
  json: boolean;
  /** a folder of `<label>/<file>`; undefined: the digits */
  images: string | undefined;
}

/** Reads the arguments. Throws when they are wrong, with what can be asked. */
export function readArguments(args: string[]): Arguments {
  const options = { json: { type: 'boolean', default: false }, images: { type: 'string' } } as const;
  try {
    const { json, images } = parseArgs({ args, options }).values;
    return { json, images };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    // what Node adds about positional arguments helps nobody here: there are none
    const short = message.replace(/\. (To specify a positional|This command does not take)[^]*$/u, '');
    throw new Error(`${short}. Usage: ${usage}`, { cause });
  }
}
