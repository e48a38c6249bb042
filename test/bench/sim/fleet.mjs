// A fleet of devices, each alone in its process: nothing to share but the knowledge of its size.
import { createReconnectGovernor, makeError } from '@faultmap/core/adapter';
import { printTable, target } from './report.mjs';
import { simulate } from './scenario.mjs';

const PER_SECOND = 100;
const faults = {
  throttled: makeError('throttled', { reason: 'ThrottlingException', advice: 'throttled', executed: 'no' }),
  down: makeError('network', { reason: 'ECONNREFUSED', advice: 'backoff', executed: 'no' }),
};

/** A device that connects by the governor; `slotted`: its first try too. */
function device(name, options, slotted) {
  return {
    name,
    process: ({ engine, hub, random }) => {
      return (done) => {
        const governor = createReconnectGovernor(options, { clock: engine.clock, random });
        let tries = 0;
        const connect = () => {
          tries++;
          hub.request((outcome) => {
            if (outcome === 'ok') return done(true, tries);
            again(faults[outcome]);
          }, false);
        };
        const again = (fault) => {
          const decision = governor.failed(fault);
          if (decision.action === 'stop') return done(false, tries, decision.stopped);
          engine.after(decision.delayMs, connect);
        };
        if (slotted) again(faults.down);
        else connect();
      };
    },
  };
}

const fixed = (name, ms) => ({
  name,
  process:
    ({ engine, hub }) =>
    (done) => {
      let tries = 0;
      const connect = () => {
        tries++;
        hub.request((outcome) => (outcome === 'ok' ? done(true, tries) : engine.after(ms, connect)), false);
      };
      connect();
    },
});

/** All devices of a fleet want to connect at once, as after an outage of the hub or of power. */
export async function fleetTable(size, seeds) {
  const fleet = { size, connectionsPerSecond: PER_SECOND };
  const policies = [
    device('faultmap, fleet told, first try in slot', { fleet }, true),
    device('faultmap, fleet told, first try at once', { fleet }, false),
    device('faultmap, fleet not told', {}, false),
    fixed('mqtt.js reconnectPeriod', 1_000),
  ];
  const rows = [];
  for (const policy of policies) {
    const all = [];
    for (const seed of seeds)
      all.push(
        await simulate(policy, {
          seed,
          processes: size,
          count: size,
          arrivals: () => 0,
          hub: { perSecond: PER_SECOND },
        }),
      );
    const mean = (of) => all.reduce((sum, r) => sum + of(r), 0) / all.length;
    rows.push([
      policy.name,
      size,
      {
        ok: mean((r) => r.ok),
        lost: mean((r) => r.lost),
        drain: mean((r) => r.lastAt) / (((size - PER_SECOND) / PER_SECOND) * 1_000),
        requests: mean((r) => r.perSuccess),
      },
    ]);
  }
  printTable(`Fleet. ${size} devices, each alone, want to connect at once; the hub takes ${PER_SECOND} a second`, rows);
  target('fleet, told and slotted: drain', rows[0][2].drain, 1.1);
  target('fleet, told and slotted: requests', rows[0][2].requests, 1.05);
}
