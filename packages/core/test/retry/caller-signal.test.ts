import { retry } from '@faultmap/core';
import { expect, test } from 'vitest';

test("the reason of the caller's own signal comes back as it is, a time-out too", async () => {
  const own = new DOMException('my limit', 'TimeoutError');
  for (const reason of [own, new Error('enough'), 'enough']) {
    const controller = new AbortController();
    const ended = retry(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason));
          controller.abort(reason);
        }),
      { signal: controller.signal, idempotent: true },
    );
    await expect(ended.catch((thrown: unknown) => thrown)).resolves.toBe(reason);
  }
});

test('a time-out that the operation set itself is a fault, and repeated where that is safe', async () => {
  let calls = 0;
  const ended = retry(
    () => {
      calls++;
      throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    },
    { idempotent: true, maxAttempts: 2, baseDelayMs: 0, maxDelayMs: 0 },
  );
  await expect(ended).rejects.toMatchObject({ category: 'timeout', attempts: 2 });
  expect(calls).toBe(2);
});
