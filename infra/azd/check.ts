/** Before `azd provision`: what would fail late in Azure is said at once. Exit code 1 stops azd. */
import * as z from 'zod';

/** Regions with serverless GPUs, as of mid-2025; Azure adds some. https://learn.microsoft.com/azure/container-apps/gpu-serverless-overview */
const gpuRegions = {
  t4: ['australiaeast', 'swedencentral', 'westeurope', 'westus3'],
  a100: ['australiaeast', 'swedencentral', 'westus3'],
};

const settings = z.object({
  AZURE_ENV_NAME: z
    .string({ error: 'is set by azd: run `azd env new NAME`' })
    .min(2)
    .max(20, { error: 'has more than 20 characters: make another environment with `azd env new NAME`' }),
  AZURE_LOCATION: z.string({ error: 'is not set: `azd env set AZURE_LOCATION swedencentral`' }),
  TRAINER_IMAGE: z
    .string({
      error:
        'is not set. Trainings run in an image of yours: make one with the workflow "trainer image" or as docs/deploy.md says, then `azd env set TRAINER_IMAGE ghcr.io/OWNER/darkroom-trainer@sha256:...`',
    })
    .regex(/^[a-z0-9.-]+(:\d+)?\/[\w./-]+@sha256:[0-9a-f]{64}$/, {
      error:
        'must name an image by digest (registry/name@sha256:64 hex digits): a tag may mean another program tomorrow',
    }),
  DARKROOM_COMPUTE: z
    .enum(['cpu', 't4', 'a100'], { error: 'is cpu, t4 or a100: `azd env set DARKROOM_COMPUTE cpu`' })
    .default('t4'),
});

const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
const parsed = settings.safeParse(given);
if (!parsed.success) {
  for (const { path, message } of parsed.error.issues) console.error(`${String(path[0])} ${message}`);
  process.exit(1);
}
const { AZURE_LOCATION: location, DARKROOM_COMPUTE: compute } = parsed.data;
if (compute !== 'cpu' && !gpuRegions[compute].includes(location)) {
  console.warn(
    `We know of no serverless ${compute.toUpperCase()} in ${location}; we do in ${gpuRegions[compute].join(', ')}. If the deployment fails, choose another region or \`azd env set DARKROOM_COMPUTE cpu\`.`,
  );
}
