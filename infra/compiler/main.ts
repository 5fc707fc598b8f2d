/** `npm run infra:check`: what the real compiler says of the templates. */
import { compilerChecks } from './checks.ts';

for await (const { name, passed, said } of compilerChecks()) {
  console.log(`${passed === null ? 'skipped:' : passed ? 'passed ' : 'FAILED '} ${name}`);
  for (const line of said) console.log(`  ${line}`);
  if (passed === false) process.exitCode = 1;
}
