/** What changed between two versions. */
import type { Client } from '../../client/client.ts';
import { diffVersions, type Version } from '../../client/versions.ts';
import { counted } from './counted.ts';
import type { Narrator } from './narrator.ts';

/** labels that are told one by one */
const shownLabels = 12;

/** Tells what the second upload added, by label. Throws when the difference is not that of the two versions. */
export async function tellDiff(
  client: Client,
  narrator: Narrator,
  project: string,
  [from, to]: [from: Version, to: Version],
): Promise<void> {
  let counts = { added: 0, removed: 0, relabelled: 0 };
  const byLabel = new Map<string, number>();
  for await (const page of diffVersions(client, project, from.number, to.number)) {
    counts = page.counts;
    for (const { label = '' } of page.added) byLabel.set(label, (byLabel.get(label) ?? 0) + 1);
  }
  const expected = to.samples - from.samples;
  if (counts.added - counts.removed !== expected) {
    throw new Error(`Expected the diff of versions to show ${expected} more samples; seen: ${JSON.stringify(counts)}`);
  }
  const listed = [...byLabel.values()].reduce((a, b) => a + b, 0);
  if (listed !== counts.added)
    throw new Error(`Expected the pages of the diff to hold all ${counts.added} added samples; seen: ${listed}`);
  const { added, removed, relabelled } = counts;
  narrator.say(
    `from version ${from.number} to ${to.number}: ${added} added, ${removed} removed, ${relabelled} relabelled; ` +
      `${to.bytesWritten} bytes written`,
  );
  // what has several objects has no label
  if (!byLabel.has('')) narrator.say(`added ${labelsOf(byLabel)}`);
}

function labelsOf(byLabel: Map<string, number>): string {
  const sorted = [...byLabel].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
  const shown = sorted.slice(0, shownLabels).map(([label, n]) => `${n} of "${label}"`);
  const others = sorted.slice(shownLabels);
  const rest = others.reduce((sum, [, n]) => sum + n, 0);
  return [...shown, ...(rest === 0 ? [] : [`${rest} of ${counted(others.length, 'other label')}`])].join(', ');
}
