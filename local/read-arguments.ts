import { parseArgs, type ParseArgsConfig } from 'node:util';

/**
 * Reads the arguments of this process. Wrong ones end it with 2, once it has said which they are and how it is called;
 * `usage` is the whole of that, without "Usage".
 */
export function readArguments<const T extends ParseArgsConfig>(
  usage: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\nUsage: ${usage}`);
    return process.exit(2);
  }
}
