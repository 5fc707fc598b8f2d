/** Changing some settings of a project. */
import { mergePatch } from '../api/merge-patch.ts';
import type { Cause } from '../delivery/message.ts';
import { TerminalError } from '../errors.ts';
import type { Ports, Stored } from '../ports.ts';
import type { Seen } from '../precondition.ts';
import type { ProjectDocument } from './document.ts';
import { findProject } from './find.ts';
import { replaceSettings } from './replace-settings.ts';
import { type ProjectSettings, projectSettings } from './settings.ts';

/** a patch of who has seen nothing is made again on what somebody else has changed meanwhile, this often */
const maxTries = 5;

export interface ProjectPatch {
  project: string;
  /** JSON Merge Patch (RFC 7396): what is left out stays, null resets one to its default */
  patch: unknown;
  by: string;
  seen: Seen;
}

/** Patches the settings. Throws a TerminalError where they would not be valid, and where the project is not as it was seen. */
export async function patchProject(
  ports: Pick<Ports, 'clock' | 'documents' | 'messages'>,
  { project, patch, by, seen }: ProjectPatch,
  cause: Cause,
): Promise<Stored<ProjectDocument>> {
  for (let tries = 1; ; tries++) {
    const current = await findProject(ports, project);
    const settings = patched(current.document, patch);
    try {
      return await replaceSettings(ports, current, { settings, by, seen: seen ?? current.etag }, cause);
    } catch (error) {
      const raced = error instanceof TerminalError && error.code === 'precondition-failed' && seen === undefined;
      if (!raced || tries === maxTries) throw error;
    }
  }
}

function patched({ settings: before }: ProjectDocument, patch: unknown): ProjectSettings {
  const after = projectSettings.safeParse(mergePatch(before, patch));
  if (after.success) return after.data;
  const [{ path, message } = { path: [], message: 'not understood' }] = after.error.issues;
  const target = path.join('.') || 'body';
  const detail = `With this patch "${target}" would not be valid: ${message}. Nothing was changed. See /api/openapi.json for what is expected.`;
  throw new TerminalError('invalid-body', detail, target);
}
