/** Addresses to which apps upload files, past the backend. */
import type { Ports } from '../ports.ts';
import type { ProjectDocument } from '../project/document.ts';
import { TerminalError } from '../errors.ts';
import { givenAnnotation } from '../task/fields.ts';
import { parseAnnotation } from '../task/parse-annotation.ts';
import { type TaskKind, taskOf } from '../task/task.ts';

const lifetimeMs = 3_600_000;

export interface FileToUpload {
  name: string;
  /** what it shows, as it was sent: in the form of the project's kind, or in its words */
  annotation?: unknown;
  label?: string | undefined;
  contentType: string;
}

/** Signs an address for each file, which creates that one blob once, within an hour, with these headers. */
export async function signAddresses(
  { clock, blobs }: Pick<Ports, 'clock' | 'blobs'>,
  { id: project, settings }: ProjectDocument,
  files: FileToUpload[],
) {
  const kind = taskOf(settings);
  const expires = new Date(clock.now().getTime() + lifetimeMs);
  return Promise.all(
    files.map(async ({ name, contentType, annotation, ...words }, i) => {
      if (contentType === 'application/json') assertSidecar(kind, name, `files.${i}`);
      const given = annotation ?? givenAnnotation(words);
      const folder = given === undefined ? '' : `${folderOf(kind, given, `files.${i}.annotation`)}/`;
      const blob = `${project}/${folder}${name}`;
      const url = await blobs.sign('uploads', blob, 'create', expires);
      const headers = { 'x-ms-blob-type': 'BlockBlob', 'content-type': contentType };
      return { name, blob, url, headers, expiresAt: expires.toISOString() };
    }),
  );
}

/** A file of JSON says what a picture shows, or is of no use here. */
function assertSidecar({ name: kind, sidecars }: TaskKind, name: string, target: string): void {
  if (!sidecars) {
    const detail = `No file of JSON says what a picture shows in projects of the task kind ${kind}: name the folder, or send "label".`;
    throw new TerminalError('invalid-body', detail, `${target}.contentType`);
  }
  if (name.endsWith('.json')) return;
  const detail = `A file that says what scene.jpg shows is called scene.jpg.json, and not ${JSON.stringify(name.slice(0, 60))}.`;
  throw new TerminalError('invalid-body', detail, `${target}.name`);
}

/** What a name has between project and file to tell an annotation; a TerminalError where it is none, or no name tells it. */
function folderOf(kind: TaskKind, given: unknown, target: string): string {
  const folder = kind.toFolder(parseAnnotation(kind, given, target));
  if (folder !== undefined) return folder;
  const detail = `No name of a file can tell this annotation of the task kind ${kind.name}. Upload it as a file beside the picture (scene.jpg.json beside scene.jpg), or PUT it to the sample.`;
  throw new TerminalError('invalid-body', detail, target);
}
