/**
 * Before `azd provision`: what would fail late in Azure is said at once. Exit code 1 stops azd. On a fresh clone nothing is
 * installed yet, since azd packs beside provisioning: JavaScript, and modules of Node alone.
 */
import process from 'node:process';

/** Regions with serverless GPUs, as of mid-2025; Azure adds some. https://learn.microsoft.com/azure/container-apps/gpu-serverless-overview */
const gpuRegions = {
  t4: ['australiaeast', 'swedencentral', 'westeurope', 'westus3'],
  a100: ['australiaeast', 'swedencentral', 'westus3'],
};

/** https://nodejs.org/en/about/previous-releases */
const node22Ends = '2027-04-30';
const warnedMs = 90 * 24 * 3600 * 1000;

/** What azd, or whoever calls this, has set; empty: nothing. */
const given = (name) => process.env[name] ?? '';
const compute = given('DARKROOM_COMPUTE') || 't4';
const node = given('DARKROOM_NODE') || '22';
const budget = given('DARKROOM_MONTHLY_BUDGET') || '0';
/** as GitHub, GitLab and Azure Pipelines say it */
const isPipeline = given('CI') === 'true' || given('TF_BUILD') !== '';

/** Name, whether it is wrong, and what to do about it. */
const rules = [
  ['AZURE_ENV_NAME', given('AZURE_ENV_NAME') === '', 'is set by azd: run `azd env new NAME`'],
  [
    'AZURE_ENV_NAME',
    given('AZURE_ENV_NAME') !== '' && !/^.{2,20}$/s.test(given('AZURE_ENV_NAME')),
    'has 2 to 20 characters: make another environment with `azd env new NAME`',
  ],
  ['AZURE_LOCATION', given('AZURE_LOCATION') === '', 'is not set: `azd env set AZURE_LOCATION swedencentral`'],
  [
    'AZURE_PRINCIPAL_TYPE',
    isPipeline && given('AZURE_PRINCIPAL_TYPE') === '',
    'is not set, and azd knows it of people only: `azd env set AZURE_PRINCIPAL_TYPE ServicePrincipal`',
  ],
  [
    'AZURE_PRINCIPAL_TYPE',
    !['', 'User', 'Group', 'ServicePrincipal'].includes(given('AZURE_PRINCIPAL_TYPE')),
    'is User, Group or ServicePrincipal',
  ],
  [
    'TRAINER_IMAGE',
    given('TRAINER_IMAGE') === '',
    'is not set. Trainings run in an image of yours: make one with the workflow "trainer image" or as docs/deploy.md says, then `azd env set TRAINER_IMAGE ghcr.io/OWNER/darkroom-trainer@sha256:...`',
  ],
  [
    'TRAINER_IMAGE',
    given('TRAINER_IMAGE') !== '' && !/^[a-z0-9.-]+(:\d+)?\/[\w./-]+@sha256:[0-9a-f]{64}$/.test(given('TRAINER_IMAGE')),
    'must name an image by digest (registry/name@sha256:64 hex digits): a tag may mean another program tomorrow',
  ],
  [
    'DARKROOM_COMPUTE',
    !['cpu', 't4', 'a100'].includes(compute),
    'is cpu, t4 or a100: `azd env set DARKROOM_COMPUTE cpu`',
  ],
  [
    'DARKROOM_MACHINE_LEARNING',
    !['', 'none', 'cpu', 't4', 'a100'].includes(given('DARKROOM_MACHINE_LEARNING')),
    'is none, cpu, t4 or a100: `azd env set DARKROOM_MACHINE_LEARNING none`',
  ],
  ['DARKROOM_NODE', !['22', '24'].includes(node), 'is 22 or 24: `azd env set DARKROOM_NODE 22`'],
  ['DARKROOM_MONTHLY_BUDGET', !/^\d{1,9}$/.test(budget), 'is a whole number; 0: no budget'],
  [
    'DARKROOM_BUDGET_START',
    /^[1-9]/.test(budget) && !/^\d{4}-(0[1-9]|1[0-2])-01$/.test(given('DARKROOM_BUDGET_START')),
    'is the first day of the month in which the budget begins, and can never be changed: `azd env set DARKROOM_BUDGET_START 2027-01-01`',
  ],
];

const wrong = rules.filter(([, isWrong]) => isWrong);
for (const [name, , advice] of wrong) console.error(`${name} ${advice}`);
if (wrong.length > 0) process.exit(1);

const regions = compute === 'cpu' ? undefined : gpuRegions[compute];
if (regions !== undefined && !regions.includes(given('AZURE_LOCATION')))
  console.warn(
    `We know of no serverless ${compute.toUpperCase()} in ${given('AZURE_LOCATION')}; we do in ${regions.join(', ')}. If the deployment fails, choose another region or \`azd env set DARKROOM_COMPUTE cpu\`.`,
  );
if (node === '22' && Date.now() > Date.parse(node22Ends) - warnedMs)
  console.warn(
    `Node 22 gets no more updates after ${node22Ends}. Where \`az functionapp list-flexconsumption-runtimes --location ${given('AZURE_LOCATION')} --runtime node\` shows 24: \`azd env set DARKROOM_NODE 24\`.`,
  );
