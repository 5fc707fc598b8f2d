/** Tests that take too long for every change: not in `npm test`, but in `npm run verify` and, beside `npm test`, in `.ci/run`. */
export const longTests = [
  'test/bench/**',
  'test/contract/full-disk.test.ts',
  'test/e2e/{compute-trouble,dead-letters,functions-only,hostile,own-models}.test.ts',
  'test/faults/**',
  'test/hostile/**',
  'test/local/functions-host/{queue-receiver,slow-keys}.test.ts',
  'test/network/**',
  'test/simulation/**',
  'test/storms/**',
  'test/torture/**',
  'test/trainers/conformance/**',
];
