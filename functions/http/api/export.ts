/** A version for `dvc pull`. */
import { Problem } from '../../../shared/api/problem.ts';
import type { VersionSummary } from '../../../shared/dataset/document.ts';
import { exportVersion, maxExported } from '../../../shared/dataset/export.ts';
import { findVersion } from '../../../shared/dataset/find-version.ts';
import { findProject } from '../../../shared/project/find.ts';
import { route } from '../route.ts';

function tooLarge({ number, samples }: VersionSummary, base: string): Problem {
  const detail =
    `Version ${number} has ${samples} samples, and a directory object for DVC is made of ${maxExported} at most. ` +
    `Read them page by page with GET ${base}/versions/${number}/samples, or export an earlier version.`;
  return new Problem(409, 'version-too-large', detail, { target: 'version' });
}

export const exportRoutes = [
  route({
    name: 'versions-dvc',
    method: 'GET',
    path: 'projects/{project}/versions/{version}/dvc',
    role: 'viewer',
    summary: 'A .dvc pointer file for `dvc pull`; the remote is azure://datasets/{project}',
    headers: ['ETag'],
    answers: { 200: 'dvc' },
    async handle(ports, call) {
      const { document: project } = await findProject(ports, call.params.project);
      const version = await findVersion(ports, project.id, call.params.version);
      const text = await exportVersion(ports, project, version);
      if (text === 'too-large') throw tooLarge(version, `${call.base}/projects/${project.id}`);
      return { status: 200, text, contentType: 'application/yaml', headers: { etag: `"${version.version}"` } };
    },
  }),
];
