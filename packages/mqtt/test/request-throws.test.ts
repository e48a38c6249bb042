/* A request that mqtt.js throws at. */
import { expect, test } from 'vitest';
import { connected, rejection, staged } from './support/stage.ts';

test('is rejected with what was thrown, and leaves no timer and no listener behind', () => {
  const timers = new Set<object>();
  const clock = {
    now: () => performance.now(),
    after: (ms: number, run: () => void) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        run();
      }, ms);
      timers.add(timer);
      return () => {
        clearTimeout(timer);
        timers.delete(timer);
      };
    },
  };
  return staged({ attach: { clock, reconnect: false } }, async (stage) => {
    await connected(stage);
    const { handle } = stage;
    await handle.request('ask', 'x', { responseTopic: 'answers', attemptTimeoutMs: 20, retry: false }).catch(() => {});
    const before = timers.size;
    const error = await rejection(
      handle.request('t'.repeat(70_000), 'x', { responseTopic: 'answers', attemptTimeoutMs: 600_000 }),
    );
    expect(error).toBeInstanceOf(TypeError);
    expect(timers.size).toBe(before);
  });
});
