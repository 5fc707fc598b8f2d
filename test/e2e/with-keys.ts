/** A platform that runs this app, with a key of each role. */
import { randomBytes } from 'node:crypto';
import type { Platform } from '../../local/platform.ts';
import { keyDocument, newKey } from '../../shared/key/secret.ts';
import { connect } from '../../shared/azure/connect.ts';
import { readConfig } from '../../shared/config.ts';
import type { Role } from '../../shared/key/document.ts';
import { startApp } from '../platform.ts';

/** Starts it on any ports with its data in a folder. The keys are for all projects. */
export async function startWithKeys(dataDir: string): Promise<{ platform: Platform; keys: Record<Role, string> }> {
  const platform = await startApp({
    dataDir,
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
