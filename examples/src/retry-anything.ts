// No adapter for your client? classify() and retry() work on any error.
import { classify, isDeviceCloudError, retry } from '@faultmap/core';
import { readHttpAnswer } from '@faultmap/core/adapter';

async function getDevice(signal: AbortSignal | undefined): Promise<unknown> {
  const answer = await fetch(`${process.env.HUB_URL}/devices/pump-7?api-version=2021-04-12`, {
    headers: { authorization: process.env.HUB_SAS ?? '' },
    signal: signal ?? null,
  });
  if (answer.ok) return answer.json();
  const { status, headers } = answer;
  throw classify(readHttpAnswer({ status, headers, body: await answer.text() }));
}

try {
  const device = await retry(({ signal }) => getDevice(signal), {
    idempotent: true,
    maxAttempts: 5,
    deadlineMs: 20_000,
  });
  console.log('device', (device as { deviceId: string }).deviceId);
} catch (error) {
  if (!isDeviceCloudError(error)) throw error;
  console.log(error.message, 'after', error.attempts, 'attempts, stopped:', error.stopped);
}
