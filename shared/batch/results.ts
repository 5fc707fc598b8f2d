/** What a batch leaves in storage: parts while it is at work, and the results made of them. */
import * as z from 'zod';
import type { Blobs } from '../ports.ts';
import { RetryLater } from '../errors.ts';
import type { TaskKind } from '../task/task.ts';

/** Pictures of a part: what a death costs at most. */
export const partSize = 200;
/** answers may be large: 100 KB of each picture */
const maxPartBytes = 32 * 1024 * 1024;

/** What is said of one picture. */
const line = z.object({
  /** name of the uploaded file, or id of the sample */
  picture: z.string(),
  /** in the form of the kind; null: there is none */
  prediction: z.looseObject({}).nullable(),
  /** why there is none */
  error: z.string().nullable(),
});
export type BatchLine = z.infer<typeof line>;

const partFile = z.object({
  version: z.literal(1),
  /** where the part after this one begins; null: this was the last */
  next: z.string().nullable(),
  lines: z.array(line).max(partSize),
});
export type BatchPart = z.infer<typeof partFile>;

interface Named {
  pk: string;
  id: string;
}

const prefixOf = ({ pk, id }: Named): string => `${pk}/batches/${id}`;
const partName = (batch: Named, part: number): string =>
  `${prefixOf(batch)}/parts/${String(part).padStart(5, '0')}.json`;

/** Names of the results in the container `jobs`. */
export const resultNames = (batch: Named): { jsonLines: string; csv: string } => ({
  jsonLines: `${prefixOf(batch)}/results.jsonl`,
  csv: `${prefixOf(batch)}/results.csv`,
});

/** Reads a part that is kept; undefined: nobody has made it yet. */
export async function readPart(blobs: Blobs, batch: Named, part: number): Promise<BatchPart | undefined> {
  const found = await blobs.get('jobs', partName(batch, part), { maxBytes: maxPartBytes });
  if (found === undefined || found === 'too-large') return undefined;
  return partFile.parse(JSON.parse(found.body.toString('utf8')));
}

/** Keeps a part, and returns the one that counts: whoever made it first is believed. */
export async function keepPart(
  blobs: Blobs,
  batch: Named,
  part: number,
  made: Omit<BatchPart, 'version'>,
): Promise<BatchPart> {
  const kept: BatchPart = { version: 1, ...made };
  const options = { contentType: 'application/json' };
  if ((await blobs.create('jobs', partName(batch, part), JSON.stringify(kept), options)) === 'created') return kept;
  const other = await readPart(blobs, batch, part);
  if (other === undefined) throw new RetryLater(`part ${part} of batch ${batch.id} cannot be read`);
  return other;
}

async function* linesOf(blobs: Blobs, batch: Named & { parts: number }): AsyncGenerator<BatchLine[]> {
  for (let part = 0; part < batch.parts; part++) {
    const found = await readPart(blobs, batch, part);
    if (found === undefined) throw new RetryLater(`part ${part} of batch ${batch.id} cannot be read`);
    yield found.lines;
  }
}

/** A value of a table; what would end it is quoted (RFC 4180). */
const cell = (value: string | number): string => {
  // spreadsheets take a text that begins so for a formula (OWASP, CSV injection)
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
const row = (cells: (string | number)[]): string => `${cells.map(cell).join(',')}\r\n`;

async function* jsonLines(blobs: Blobs, kind: TaskKind, batch: Named & { parts: number }): AsyncGenerator<Buffer> {
  for await (const lines of linesOf(blobs, batch)) {
    const texts = lines.map(({ picture, prediction, error }) =>
      JSON.stringify({ picture, ...kind.views.prediction(prediction), error }),
    );
    yield Buffer.from(texts.map((text) => `${text}\n`).join(''));
  }
}

async function* table(
  blobs: Blobs,
  form: NonNullable<TaskKind['table']>,
  classes: readonly string[],
  batch: Named & { parts: number },
): AsyncGenerator<Buffer> {
  yield Buffer.from(row(['picture', ...form.columns(classes), 'error']));
  for await (const lines of linesOf(blobs, batch)) {
    const rows = lines.map(({ picture, prediction, error }) =>
      row([picture, ...form.cells(prediction, classes), error ?? '']),
    );
    yield Buffer.from(rows.join(''));
  }
}

/** Makes the results of all parts, each once. Safe to repeat. */
export async function composeResults(
  blobs: Blobs,
  kind: TaskKind,
  classes: readonly string[],
  batch: Named & { parts: number },
): Promise<void> {
  const names = resultNames(batch);
  await blobs.createFrom('jobs', names.jsonLines, jsonLines(blobs, kind, batch), {
    contentType: 'application/x-ndjson',
  });
  if (kind.table !== undefined)
    await blobs.createFrom('jobs', names.csv, table(blobs, kind.table, classes, batch), { contentType: 'text/csv' });
}
