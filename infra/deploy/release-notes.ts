/** `npm run deploy:release-notes`: what a release says of itself, in the workflow of its tag: how to deploy just that. */
import * as z from 'zod';
import { command } from './command.ts';

const surroundings = z.object({
  GITHUB_REPOSITORY: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
  GITHUB_REF_NAME: z.string().regex(/^v[\w.-]+$/, { error: 'a version tag' }),
  GITHUB_SERVER_URL: z.url(),
});

await command(async () => {
  const {
    GITHUB_REPOSITORY: repository,
    GITHUB_REF_NAME: tag,
    GITHUB_SERVER_URL: server,
  } = surroundings.parse(process.env);
  const template = `https://raw.githubusercontent.com/${repository}/${tag}/infra/main.json`;
  const button = `https://portal.azure.com/#create/Microsoft.Template/uri/${encodeURIComponent(template)}`;
  console.log(`[![Deploy to Azure](https://aka.ms/deploytoazurebutton)](${button})

Give it

- \`packageUri\`: ${server}/${repository}/releases/download/${tag}/darkroom.zip
- \`trainerImage\`: the line in the summary of this tag's run of the workflow "release"

What it makes, needs and costs: ${server}/${repository}/blob/${tag}/docs/deploy.md`);
  return 0;
});
