/** What has to exist first. Snapshots leave order out, and a missing `dependsOn` compiles: the template is asked. */
import { expect, test } from 'vitest';
import * as z from 'zod';
import { infraFile } from './templates.ts';

const resource = z.looseObject({
  type: z.string(),
  existing: z.boolean().optional(),
  dependsOn: z.array(z.string()).optional(),
});
const template = z.looseObject({
  parameters: z.record(z.string(), z.looseObject({ defaultValue: z.unknown().optional() })).optional(),
  // a list where no resource is named by another
  resources: z.union([
    z.record(z.string(), resource),
    z.array(resource).transform((list) => Object.fromEntries(list.entries())),
  ]),
});
const nested = z.object({ properties: z.object({ template }) });

const main = template.parse(JSON.parse(infraFile('main.json')));
const group = nested.parse(main.resources['resources']).properties.template;
const moduleOf = (name: string) => nested.parse(group.resources[name]).properties.template.resources;
const dependenciesOf = (name: string): string[] => group.resources[name]?.dependsOn ?? [];

/** Modules whose resources need those of others that they reach by name only. */
const order: Record<string, string[]> = {
  hostStorage: ['identities', 'monitoring'],
  dataStorage: ['identities', 'monitoring'],
  messaging: ['identities', 'monitoring'],
  documents: ['identities', 'monitoring'],
  events: ['dataStorage', 'messaging'],
  training: ['identities', 'monitoring', 'registry'],
  machineLearningWorkspace: ['identities', 'monitoring', 'registry'],
  // the app starts when every role it needs has been assigned
  functions: [
    ...['dataStorage', 'documents', 'hostStorage', 'identities', 'machineLearningWorkspace', 'messaging', 'monitoring'],
    'training',
  ],
  // last, so that the roles of the topic have had time to take effect
  eventSubscriptions: ['events', 'functions'],
  // workbook, alerts and budget
  operations: ['functions', 'messaging', 'monitoring'],
};

test.for(Object.entries(order))('%s is made after what it needs', ([name, first]) => {
  expect(dependenciesOf(name)).toEqual(expect.arrayContaining(first));
});

test('subscriptions to events are made after both kinds of role that the topic needs', () => {
  const assignments = Object.entries(moduleOf('events')).filter(([, { type }]) => type.endsWith('/roleAssignments'));
  expect(assignments.map(([name]) => name).sort()).toEqual(['topicKeepsUndelivered', 'topicSends']);
  expect(Object.values(moduleOf('events')).map(({ type }) => type)).not.toContain(
    'Microsoft.EventGrid/systemTopics/eventSubscriptions',
  );
  expect(dependenciesOf('eventSubscriptions')).toContain('events');
});

test('every role of the app is assigned in a module that the app waits for', () => {
  for (const [name, { type }] of Object.entries(group.resources)) {
    if (type !== 'Microsoft.Resources/deployments' || ['events', 'registry'].includes(name)) continue;
    const types = Object.values(moduleOf(name)).map((one) => one.type);
    if (types.some((one) => /roleAssignments$/i.test(one)))
      expect(dependenciesOf('functions'), `functions must depend on ${name}`).toContain(name);
  }
});

test('data-plane roles of Cosmos DB are assigned one by one, after the containers, or it answers 412', () => {
  const documents = moduleOf('documents');
  expect(documents['account::database::container']?.type).toMatch(/\/containers$/);
  const chain = ['account::appWrites', 'account::operatorsRead', 'account::operatorsMakeKeys'];
  const assigned = Object.entries(documents).filter(([, { type }]) => type.endsWith('/sqlRoleAssignments'));
  expect(assigned.map(([name]) => name).sort()).toEqual([...chain].sort());
  for (const [i, name] of chain.entries()) {
    const before = chain[i - 1] ?? 'account::database::container';
    expect(documents[name]?.dependsOn, name).toContain(before);
    const copy = documents[name]?.['copy'];
    if (copy !== undefined) expect(copy, name).toMatchObject({ mode: 'serial', batchSize: 1 });
  }
});

test('the package is deployed after the settings that it is started with', () => {
  expect(moduleOf('functions')['package']?.dependsOn).toContain('app::settings');
});

test('both entry points take the same parameters with the same defaults', () => {
  const of = ({ parameters = {} }: z.infer<typeof template>) =>
    Object.fromEntries(
      Object.entries(parameters)
        // a resource group has a region, a subscription has none
        .filter(([name]) => name !== 'location')
        .map(([name, parameter]) => [name, { ...parameter, metadata: undefined }]),
    );
  const subscription = of(main);
  expect(of(group)).toEqual(subscription);
  expect(Object.keys(subscription).length).toBeGreaterThan(10);
});

test('the button can deploy the code of a release', () => {
  expect(main.parameters?.['packageUri']?.defaultValue).toBe('');
  const made = moduleOf('functions')['package'];
  expect(made?.type).toBe('Microsoft.Web/sites/extensions');
  expect(made?.['condition']).toBe("[not(equals(parameters('packageUri'), ''))]");
});

test('a workspace is made after its identity may use what it needs, and its cluster after that may run the workspace', () => {
  const all = moduleOf('machineLearningWorkspace');
  expect(all['machineLearning']?.dependsOn).toEqual(
    expect.arrayContaining(['identityKeepsFiles', 'identityKeepsSecrets', 'identityUsesInsights']),
  );
  expect(all['machineLearning::cluster']?.dependsOn).toContain('identityRunsWorkspace');
});
