/** What a query or body means. */
import type * as z from 'zod';
import { Problem } from '../../shared/api/problem.ts';
import { echo } from './echo.ts';
import type { Surface } from './surface.ts';

/** how many invalid fields an answer lists */
const maxDetails = 20;

/** A value as its schema reads it. Throws a 400 that names every field that is not valid. */
export function validate(type: z.ZodType, value: unknown, where: 'body' | 'query', { described }: Surface): unknown {
  const parsed = type.safeParse(value);
  if (parsed.success) return parsed.data;
  const code = `invalid-${where}`;
  const found = parsed.error.issues.slice(0, maxDetails).map((issue) => {
    const named = issue.path.join('.') || (issue.code === 'unrecognized_keys' ? issue.keys.join(', ') : where);
    return { code, message: echo(issue.message), target: echo(named) };
  });
  const { target = where, message = 'not understood' } = found[0] ?? {};
  const others = found.length === 1 ? '' : ` So are ${found.length - 1} more: see error.details.`;
  const detail = `"${target}" in the ${where} is not valid: ${message}.${others} See ${described} for what is expected.`;
  throw new Problem(400, code, detail, { target, ...(others === '' ? {} : { details: found }) });
}
