/** The local services without a functions host, in a temporary folder, for what is tested of the services alone. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Platform, type PlatformOptions, startPlatform } from '../local/platform.ts';
import { anyPorts } from './platform.ts';

export interface LocalServices {
  /** of everything that the services keep */
  folder: string;
  platform: Platform;
  /** Stops them and removes the folder. */
  close(): Promise<void>;
}

/** Starts every local service on free ports. Throws what `startPlatform` throws, with the folder removed. */
export async function startServices(options: Partial<PlatformOptions> = {}): Promise<LocalServices> {
  const folder = await mkdtemp(path.join(tmpdir(), 'darkroom-services-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const platform = await startPlatform({
    dataDir: folder,
    ports: anyPorts,
    appRoot: folder,
    appEntry: '',
    jobCommand: ['true'],
    functionsOnly: [],
    onLog: () => undefined,
    ...options,
  }).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    folder,
    platform,
    async close() {
      await platform.close();
      await remove();
    },
  };
}
