import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const packages = ['core', 'http', 'mqtt', 'amqp', 'emulator', 'cli'];

export default defineConfig({
  // The sources are tested as they are, without a build.
  ssr: { resolve: { conditions: ['@faultmap/source', 'module', 'node'] } },
  test: {
    // Mostly waits for sockets: one worker, the default on two cores, leaves them idle.
    maxWorkers: Math.max(2, availableParallelism()),
    testTimeout: 60_000,
    hookTimeout: 30_000,
    projects: [
      ...packages.map((name) => ({
        extends: true as const,
        test: { name, include: [`packages/${name}/test/**/*.test.ts`] },
      })),
      { extends: true as const, test: { name: 'together', include: ['test/**/*.test.ts'] } },
    ],
  },
});
