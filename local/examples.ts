/** Example images beside a new platform's data, so that the first commands have something to send. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readDigits } from './demo/digits.ts';

const perLabel = 40;
/** a label that `unseen-7.png` shows */
const unseenLabel = '7';

/** Writes 400 scans as `<label>/<file>` and `unseen-7.png` into a folder, unless they are there. Returns the folder. */
export async function writeExamples(folder: string): Promise<string> {
  const unseen = path.join(folder, `unseen-${unseenLabel}.png`);
  // written last: when it is there, so are all
  if (
    await stat(unseen).then(
      () => true,
      () => false,
    )
  )
    return folder;
  const { first, holdout } = await readDigits();
  const byLabel = Map.groupBy(first, ({ label }) => label);
  for (const [label, pictures] of byLabel) {
    await mkdir(path.join(folder, label), { recursive: true });
    for (const picture of pictures.slice(0, perLabel)) {
      await writeFile(path.join(folder, label, picture.name), await picture.bytes());
    }
  }
  const last = holdout.find(({ label }) => label === unseenLabel);
  if (last !== undefined) await writeFile(unseen, await last.bytes());
  return folder;
}
