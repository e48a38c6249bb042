// faultmap itself: the real runOperation and the real pacer, only clock and chance are given.
import { createPacer, DeviceCloudError } from '@faultmap/core';
import { makeError, runOperation } from '@faultmap/core/adapter';

// A stack that nobody reads costs most of the time of a simulated fault.
Error.stackTraceLimit = 0;

const faults = {
  throttled: (retryAfterMs) =>
    makeError('throttled', {
      reason: 'ThrottlingException',
      code: 429001,
      advice: 'throttled',
      executed: 'no',
      retryAfterMs,
    }),
  failed: () =>
    makeError('server', { reason: 'ServiceUnavailable', code: 503001, advice: 'backoff', executed: 'unknown' }),
  down: () => makeError('network', { reason: 'ECONNREFUSED', advice: 'backoff', executed: 'no' }),
};

/**
 * @param options.pacer - how each process's pacer is made; `false`: none
 * @param options.retry - retry options, over the defaults
 */
export function faultmap({ pacer = {}, retry = {}, make = createPacer } = {}) {
  return {
    name: 'faultmap',
    /** One process: returns what starts one operation. */
    process({ engine, hub, random }) {
      const shared = pacer === false ? false : make({ clock: engine.clock, random, ...pacer });
      const options = {
        idempotent: true,
        deadlineMs: Infinity,
        ...retry,
        clock: engine.clock,
        random,
        pacer: shared,
        pacerKey: 'hub',
      };
      return (done) => {
        let tries = 0;
        runOperation(
          () =>
            new Promise((resolve, reject) => {
              tries++;
              hub.request((outcome, hint) => (outcome === 'ok' ? resolve() : reject(faults[outcome](hint))), true);
            }),
          options,
        ).then(
          () => done(true, tries),
          (error) => {
            if (!(error instanceof DeviceCloudError)) throw error;
            done(false, tries, error.stopped);
          },
        );
      };
    },
  };
}
