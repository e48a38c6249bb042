/** The clock of this process, which can be made to jump: timers that it jumps over run at once. */
export function jumpClock() {
  let aheadMs = 0;
  const waiting = new Set<{ readonly at: number; readonly run: () => void }>();
  const now = () => Date.now() + aheadMs;
  return {
    now,
    after(ms: number, run: () => void) {
      const timer = {
        at: now() + ms,
        run: () => {
          cancel();
          run();
        },
      };
      // Node fires at once what is longer than that.
      const real = setTimeout(timer.run, Math.min(ms, 2 ** 31 - 1));
      const cancel = () => {
        clearTimeout(real);
        waiting.delete(timer);
      };
      waiting.add(timer);
      return cancel;
    },
    jump(ms: number) {
      aheadMs += ms;
      for (const timer of [...waiting].sort((a, b) => a.at - b.at)) if (timer.at <= now()) timer.run();
    },
  };
}
