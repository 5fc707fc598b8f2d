/** `until-found.ts FROM COUNT`: simulates seeds until one violates an invariant, and prints which. */
import { searchSeeds } from '../search.ts';

const [from, count] = process.argv.slice(2).map(Number);
const found = await searchSeeds({ from: from ?? 1, count: count ?? 1 }, ({ violations }) => violations.length === 0);
const first = found.violations[0];
console.log(JSON.stringify({ seed: first?.seed ?? null, seeds: found.seeds, violation: first?.violation ?? '' }));
// a defect may leave promises that nobody waits for
process.exit(0);
