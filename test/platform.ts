/** A platform that runs the app as it is deployed, for what is tested of the whole. */
import path from 'node:path';
import { buildApp } from '../local/build.ts';
import { type Platform, type PlatformOptions, startPlatform } from '../local/platform.ts';

const root = path.resolve(import.meta.dirname, '..');

/** Whichever ports are free. */
export const anyPorts: PlatformOptions['ports'] = { http: 0, blob: 0, serviceBus: 0, cosmos: 0, arm: 0, insights: 0 };

/** Bundles the app and starts it on free ports, with the trainer of this repository and no word of its log. */
export async function startApp(
  options: Pick<PlatformOptions, 'dataDir'> & Partial<PlatformOptions>,
): Promise<Platform> {
  return startPlatform({
    ports: anyPorts,
    appRoot: root,
    appEntry: (await buildApp()).entry,
    jobCommand: [process.execPath, path.join(root, 'trainers/embedded/main.ts')],
    onLog: () => undefined,
    ...options,
  });
}
