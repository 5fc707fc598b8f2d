/** Every parser of input that others write, save those of HTTP requests, which are reached through the routes. */
import type { Parser } from './fuzz.ts';
import { imageParsers } from './parsers-image.ts';
import { localParsers } from './parsers-local.ts';
import { modelParsers } from './parsers-model.ts';
import { textParsers } from './parsers-text.ts';

/** Every parser of bytes from outside. */
export const parsers = async (): Promise<Parser[]> => [
  ...(await imageParsers()),
  ...(await modelParsers()),
  ...textParsers(),
  ...localParsers(),
];
