import { startEmulator } from '@faultmap/emulator';
import type { Colors } from './colors.ts';
import { connectHttp } from './stage.ts';

const OPERATIONS = 60;
const PER_SECOND = 20;

/** What the burst came to. */
export interface Burst {
  readonly done: number;
  readonly throttled: number;
  readonly requests: number;
  readonly seconds: number;
  readonly idealSeconds: number;
}

/**
 * A burst against a cloud that answers 429001 with Retry-After above its rate: everybody comes
 * through, at the pace the cloud can bear.
 */
export async function playBurst(): Promise<Burst> {
  const cloud = await startEmulator({
    devices: ['pump-7'],
    transports: ['http'],
    throttle: { perSecond: { 'twin-read': PER_SECOND }, burstS: 1, retryAfter: true },
  });
  const { client, faults } = connectHttp(cloud, cloud.serviceToken());
  try {
    const start = performance.now();
    const reads = Array.from({ length: OPERATIONS }, () =>
      client.get('/twins/pump-7', { faultmap: { operation: 'twin.get', retry: { maxAttempts: 10 } } }),
    );
    const settled = await Promise.allSettled(reads);
    const requests = cloud.log.requests({ operation: 'twin-get' });
    return {
      done: settled.filter(({ status }) => status === 'fulfilled').length,
      throttled: requests.filter(({ status }) => status === 429).length,
      requests: requests.length,
      seconds: (performance.now() - start) / 1000,
      // The bucket begins full with one second's worth.
      idealSeconds: (OPERATIONS - PER_SECOND) / PER_SECOND,
    };
  } finally {
    faults.detach();
    await cloud.stop();
  }
}

export function isGood({ done }: Burst): boolean {
  return done === OPERATIONS;
}

export function renderBurst({ done, throttled, requests, seconds, idealSeconds }: Burst, colors: Colors): string {
  const mark = done === OPERATIONS ? colors.green('✓') : colors.red('✗');
  return [
    colors.bold(`A burst: ${OPERATIONS} twin reads at once, at a cloud that answers 429001 above ${PER_SECOND}/s`),
    `${mark} ${done} of ${OPERATIONS} done in ${seconds.toFixed(1)} s (${idealSeconds.toFixed(1)} s is the least possible)`,
    `  ${requests} requests sent, ${throttled} of them answered 429001: ${(requests / OPERATIONS).toFixed(2)} per operation`,
  ].join('\n');
}
