import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // STORM=full adds what takes minutes
    include: ['test/**/*.test.ts', ...(process.env['STORM'] === 'full' ? ['test/storms/*.full.ts'] : [])],
    // onnxruntime would report its use
    env: { ORT_DISABLE_TELEMETRY: '1' },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // one second, the default, is too little for a process or a thread to start on a busy machine
    expect: { poll: { timeout: 15_000 } },
    pool: 'forks',
    maxWorkers: 3,
  },
});
