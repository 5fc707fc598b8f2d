/**
 * What a deployment would change, as Markdown for a pull request.
 * Shape: https://learn.microsoft.com/rest/api/resources/deployments/what-if-at-subscription-scope
 */
import * as z from 'zod';

interface Difference {
  path: string;
  propertyChangeType: string;
  before?: unknown;
  after?: unknown;
  children?: Difference[] | null | undefined;
}

const difference: z.ZodType<Difference> = z.lazy(() =>
  z.object({
    path: z.string(),
    propertyChangeType: z.string(),
    before: z.unknown().optional(),
    after: z.unknown().optional(),
    children: z.array(difference).nullish(),
  }),
);
const change = z.object({ resourceId: z.string(), changeType: z.string(), delta: z.array(difference).nullish() });
const message = z.object({ code: z.string().nullish(), message: z.string().nullish() });

/** What `az deployment sub what-if --no-pretty-print` prints. */
export const whatIfResult = z.object({
  status: z.string(),
  changes: z.array(change).nullish(),
  diagnostics: z.array(message).nullish(),
  error: message.nullish(),
});
type Change = z.infer<typeof change>;

/** GitHub refuses comments above 65,536 characters. */
const maxCharacters = 60_000;
const maxValueCharacters = 120;
const maxDifferences = 30;

const words: Record<string, string> = {
  Delete: 'deleted',
  Create: 'made',
  Modify: 'changed',
  Deploy: 'deployed again, perhaps changed',
  Unsupported: 'not foreseeable',
};
const order = Object.keys(words);

/** Text that ends neither a table nor code. */
const inCode = (text: string): string => `\`${text.replaceAll(/[`|\r\n]/g, ' ').slice(0, maxValueCharacters)}\``;
const shown = (value: unknown): string => inCode(value === undefined ? 'nothing' : JSON.stringify(value));

/** Names of a resource without subscription and group: `Microsoft.ServiceBus/namespaces/sb-x/queues/evaluations`. */
const shortId = (id: string): string => id.replace(/^.*\/providers\//i, '').replace(/^\/subscriptions\/[^/]+\//, '');

/** Leaves of a change with their whole path; what Azure calls no effect is left out. */
function* differences(found: Difference[], above: string): Generator<string> {
  for (const { path, propertyChangeType: type, before, after, children } of found) {
    const whole = above === '' ? path : `${above}.${path}`;
    if (type === 'NoEffect') continue;
    if (children !== null && children !== undefined && children.length > 0) yield* differences(children, whole);
    else yield `${inCode(whole)}: ${shown(before)} -> ${shown(after)}`;
  }
}

function detail({ resourceId, delta }: Change): string {
  const all = [...differences(delta ?? [], '')];
  const more = all.length > maxDifferences ? [`and ${all.length - maxDifferences} more`] : [];
  return [
    `- ${inCode(shortId(resourceId))}`,
    ...[...all.slice(0, maxDifferences), ...more].map((one) => `  - ${one}`),
  ].join('\n');
}

/** A comment on what the result says of an environment. */
export function changesAsMarkdown(environment: string, result: z.infer<typeof whatIfResult>): string {
  const title = `### What this does to ${environment}`;
  const notes = (result.diagnostics ?? []).map(
    ({ code, message: text }) => `> ${code ?? ''} ${(text ?? '').replaceAll(/\s+/g, ' ')}`,
  );
  if (result.status !== 'Succeeded' || (result.error ?? null) !== null) {
    const why = [result.error?.code, result.error?.message].filter(Boolean).join(': ') || result.status;
    return [title, '', `Azure could not tell: ${why}`, ...notes].join('\n').slice(0, maxCharacters);
  }
  const changes = result.changes ?? [];
  const groups = order.map((type) => [type, changes.filter(({ changeType }) => changeType === type)] as const);
  const some = groups.filter(([, found]) => found.length > 0);
  const counts = some.map(([type, found]) => `${found.length} ${words[type]}`).join(', ');
  const same = changes.filter(({ changeType }) => changeType === 'NoChange').length;
  const lines = [title, '', counts === '' ? `Nothing changes (${same} resources).` : `${counts}, ${same} as they are.`];
  for (const [type, found] of some) lines.push('', `**${words[type]}**`, '', ...found.map(detail));
  const text = [...lines, '', ...notes].join('\n').trimEnd();
  return text.length <= maxCharacters
    ? text
    : `${text.slice(0, maxCharacters)}\n\nand more: the log of the run has all.`;
}
