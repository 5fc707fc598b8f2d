/** What the environment says to `npm start`: a folder, ports, and own trainers. */
import * as z from 'zod';
import { readOwnTrainers } from './trainers.ts';

const maxPort = 65_535;

/** Digits only: the text '' or ' ' would otherwise be port 0. */
const port = (usual: number) =>
  z
    .string()
    .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= maxPort, {
      error: ({ input }) =>
        `"${String(input)}" is no port: a port is a whole number from 1 to ${maxPort}, or 0 for any free one`,
    })
    .transform(Number)
    .default(usual);

const shape = z.object({
  DARKROOM_DATA: z.string().default('.darkroom'),
  DARKROOM_HTTP_PORT: port(7071),
  DARKROOM_BLOB_PORT: port(10_000),
  DARKROOM_SERVICEBUS_PORT: port(5672),
  DARKROOM_COSMOS_PORT: port(8081),
  DARKROOM_ARM_PORT: port(7072),
  DARKROOM_INSIGHTS_PORT: port(7073),
  DARKROOM_TRAINERS: z
    .string()
    .default('')
    .transform((text, context) => {
      try {
        return readOwnTrainers(text);
      } catch (error) {
        context.addIssue(error instanceof Error ? error.message : String(error));
        return z.NEVER;
      }
    }),
});
export type Environment = z.infer<typeof shape>;

/** Reads and checks them; what is empty counts as not set. Throws one error that names each that cannot be used. */
export function readEnvironment(environment: Record<string, string | undefined>): Environment {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = shape.safeParse(given);
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(({ path, message }) => `  ${String(path[0])}: ${message}`);
  throw new Error(`The environment has settings that cannot be used:\n${said.join('\n')}`);
}

/** What a person can change is named as they can change it: services know `ports.http`, the environment its variable. */
export const inTermsOfTheEnvironment = (message: string): string =>
  message
    .replace(/ports\.([a-zA-Z]+)( \(--port\))?/g, (_, name: string) => `DARKROOM_${name.toUpperCase()}_PORT`)
    .replace(/\bwith dataDir$/, 'with DARKROOM_DATA');
