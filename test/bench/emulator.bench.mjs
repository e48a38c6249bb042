// How fast the emulator serves, as ratios to bare peers measured in the same run; how much a held
// connection costs; and whether it grows under load. Servers run in their own process, so that a
// figure is theirs: beside the rate, the processor time of the server per operation is printed.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { amqpVisits, holdAmqp } from './support/amqp-load.mjs';
import { flood, holdMqtt, httpRequests, median, mqttPublishes } from './support/load.mjs';

const ROUNDS = 3;
const ROUND_MS = Number(process.env.BENCH_ROUND_MS ?? 2_000);
const SOAK_S = Number(process.env.BENCH_SOAK_S ?? 20);
const MQTT_CONNECTIONS = 2_000;
const AMQP_CONNECTIONS = 500;

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

/** What a held connection costs a fresh process: what it holds later hides that. */
async function costOfHolding(what, hold) {
  const server = await serve('emulator');
  const before = await server.ask('memory');
  const held = await hold(server);
  const after = await server.ask('memory');
  const each = (name) => `${((after[name] - before[name]) / held.count / 1024).toFixed(1)} KiB`;
  console.log(`${what}: ${held.count} connections held at once`);
  console.log(`  ${each('rss')} resident, ${each('heap')} of heap each (server only)`);
  await held.close();
  console.log(`  ${await server.ask('connections')} left after they closed`);
  server.stop();
}

await costOfHolding('MQTT', (server) => holdMqtt(server, MQTT_CONNECTIONS));
await costOfHolding('AMQP', (server) => holdAmqp(server, AMQP_CONNECTIONS));

const emulator = await serve('emulator');
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

/** All transports at once; what the server holds after each part, in MiB. */
async function soak() {
  const PARTS = 12;
  const samples = [];
  const visitors = emulator.connects.slice(100, 108);
  let visits = 0;
  for (let part = 0; part < PARTS; part += 1) {
    const ms = (SOAK_S * 1000) / PARTS;
    // Floods leave nothing to the others: they take half of the time.
    const [count] = await Promise.all([
      amqpVisits(emulator, visitors, ms),
      read(emulator, ms / 2),
      publish(emulator, ms / 2),
    ]);
    visits += count;
    const { heap, rss } = await emulator.ask('memory');
    samples.push({ minutes: ((part + 1) * ms) / 60_000, heap: heap / 2 ** 20, rss: rss / 2 ** 20 });
  }
  return { samples, visits };
}

/** Slope of the line of least squares, per minute. */
function growth(samples, name) {
  const mean = (of) => samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const [x, y] = [mean((sample) => sample.minutes), mean((sample) => sample[name])];
  const covariance = mean((sample) => (sample.minutes - x) * (sample[name] - y));
  return covariance / mean((sample) => (sample.minutes - x) ** 2);
}

const { samples, visits } = await soak();
console.log(`Soak: ${SOAK_S} s of HTTP, MQTT and AMQP at once, ${visits} visits over AMQP; the server in MiB`);
// The log and the events fill up to their limits first: growth is what comes after that.
const half = samples.slice(samples.length / 2);
for (const name of ['heap', 'rss']) {
  console.log(`  ${name.padEnd(4)} ${samples.map((sample) => sample[name].toFixed(1)).join(' ')}`);
  console.log(`       ${growth(half, name).toFixed(1)} MiB per minute over the second half`);
}
console.log(`  ${await emulator.ask('connections')} connections left`);

for (const server of [emulator, bare, aedes]) server.stop();
