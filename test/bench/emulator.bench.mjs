// How fast the emulator serves, as ratios to bare peers measured in the same run; how much a held
// connection costs; and whether it grows under load. Servers run in their own process, so that a
// figure is theirs: beside the rate, the processor time of the server per operation is printed.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { flood, holdMqtt, httpRequests, median, mqttPublishes } from './support/load.mjs';

const ROUNDS = 3;
const ROUND_MS = Number(process.env.BENCH_ROUND_MS ?? 2_000);
const SOAK_S = Number(process.env.BENCH_SOAK_S ?? 20);
const CONNECTIONS = 2_000;

/** Start a server; ask it things. */
async function serve(kind) {
  const file = fileURLToPath(new URL('./support/servers.mjs', import.meta.url));
  const child = fork(file, [kind], { execArgv: ['--expose-gc'] });
  const [ready] = await once(child, 'message');
  const ask = async (question) => {
    child.send(question);
    const [answer] = await once(child, 'message');
    return answer;
  };
  return { ...ready, ask, stop: () => child.kill() };
}

/** Operations per second and server time per operation, over rounds that take turns. */
async function compare(ours, theirs, round) {
  const figures = [[], []];
  await round(ours, ROUND_MS / 4);
  await round(theirs, ROUND_MS / 4); // warmed up
  for (let turn = 0; turn < ROUNDS; turn += 1) {
    for (const [index, server] of [ours, theirs].entries()) {
      const before = await server.ask('cpu');
      const started = performance.now();
      const count = await round(server, ROUND_MS);
      const seconds = (performance.now() - started) / 1000;
      const cpu = (await server.ask('cpu')) - before;
      figures[index].push({ perSecond: count / seconds, microseconds: cpu / count });
    }
  }
  return figures.map((rounds) => ({
    perSecond: median(rounds.map((one) => one.perSecond)),
    microseconds: median(rounds.map((one) => one.microseconds)),
  }));
}

function print(what, [ours, theirs], peer, wanted) {
  const shown = ({ perSecond, microseconds }) =>
    `${Math.round(perSecond)}/s, ${microseconds.toFixed(1)} µs of the server each`;
  console.log(`${what}\n  emulator  ${shown(ours)}\n  ${peer.padEnd(8)}  ${shown(theirs)}`);
  console.log(
    `  ratio     ${(ours.perSecond / theirs.perSecond).toFixed(2)} by rate (wanted ${wanted}), ${(theirs.microseconds / ours.microseconds).toFixed(2)} by server time`,
  );
}

const emulator = await serve('emulator');
// First, while the process is fresh: what it holds later hides what a connection costs.
const before = await emulator.ask('memory');
const held = await holdMqtt(emulator, CONNECTIONS);
const after = await emulator.ask('memory');
console.log(`MQTT: ${held.count} connections held at once`);
console.log(
  `  ${((after.rss - before.rss) / held.count / 1024).toFixed(1)} KiB resident, ${((after.heap - before.heap) / held.count / 1024).toFixed(1)} KiB of heap each (server only)`,
);
await held.close();
const left = await emulator.ask('connections');
console.log(`  ${left} left after they closed`);

const bare = await serve('bare');
const aedes = await serve('aedes');

const read = (server, ms) => flood(server.http, httpRequests('GET', '/devices/device1', emulator.token), ms);
print('HTTP: read a device, with a token', await compare(emulator, bare, read), 'node:http', '≥ 0.6');

const send = (server, ms) =>
  flood(
    server.http,
    httpRequests('POST', '/devices/device1/messages/events', emulator.deviceToken, 'x'.repeat(100)),
    ms,
  );
print('HTTP: send telemetry, with a token', await compare(emulator, bare, send), 'node:http', '≥ 0.6');

const publish = (server, ms) => flood(server.mqtt, mqttPublishes(server.connects.slice(0, 8), 'x'.repeat(100)), ms);
print('MQTT: publish with QoS 1', await compare(emulator, aedes, publish), 'aedes', '≥ 0.7');

const samples = [];
const until = performance.now() + SOAK_S * 1000;
while (performance.now() < until) {
  await Promise.all([read(emulator, 1_000), publish(emulator, 1_000)]);
  if (samples.length === 0 || performance.now() > until - SOAK_S * 1000 + (samples.length * SOAK_S * 1000) / 12) {
    samples.push((await emulator.ask('memory')).heap);
  }
}
// The log and the events fill up to their limits first: growth is what comes after that.
const half = samples.slice(Math.floor(samples.length / 2));
console.log(
  `Soak: ${SOAK_S} s of HTTP and MQTT at once, heap in MiB: ${samples.map((heap) => (heap / 2 ** 20).toFixed(1)).join(' ')}`,
);
console.log(
  `  second half: ${((median(half.slice(-3)) - median(half.slice(0, 3))) / 2 ** 20).toFixed(1)} MiB of growth`,
);

for (const server of [emulator, bare, aedes]) server.stop();
