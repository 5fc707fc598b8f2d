/** A platform that runs this app, with a key of each role. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { buildApp } from '../../local/build.ts';
import { type Platform, startPlatform } from '../../local/platform.ts';
import { keyDocument, newKey } from '../../shared/key/secret.ts';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import type { Role } from '../../shared/key/document.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Starts it on any ports with its data in a folder. The keys are for all projects. */
export async function startWithKeys(dataDir: string): Promise<{ platform: Platform; keys: Record<Role, string> }> {
  const { entry } = await buildApp();
  const platform = await startPlatform({
    dataDir,
    ports: { http: 0, blob: 0, serviceBus: 0, cosmos: 0, arm: 0, insights: 0 },
    appRoot: root,
    appEntry: entry,
    jobCommand: [process.execPath, path.join(root, 'trainers/embedded/main.ts')],
    onLog: () => undefined,
  });
  const { documents } = connect(readConfig(platform.settings));
  const make = async (role: Role): Promise<string> => {
    const key = newKey(randomBytes(32));
    await documents.create('keys', keyDocument(key, { role, project: '*', name: role }, new Date().toISOString()));
    return key;
  };
  return {
    platform,
    keys: { viewer: await make('viewer'), labeler: await make('labeler'), operator: await make('operator') },
  };
}
