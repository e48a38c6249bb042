/*
 * A RabbitMQ of the test's own with its plugins for AMQP 1.0 and MQTT: own node, folders and ports; all
 * of it goes away.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { accepts, freePort } from './ports.ts';

const PLACES = [
  '/usr/lib/rabbitmq/bin/rabbitmq-server',
  '/usr/sbin/rabbitmq-server',
  '/opt/homebrew/sbin/rabbitmq-server',
];

export const rabbitmqPath = PLACES.find((path) => existsSync(path));

/** Erlang starts slowly on a busy machine. */
const START_LIMIT_MS = 60_000;

export interface Rabbitmq {
  readonly amqpPort: number;
  readonly mqttPort: number;
  stop(): Promise<void>;
}

/** User `guest`, password `guest`; queues `open`, `full` after one message, `closed` to readers. */
export async function startRabbitmq(): Promise<Rabbitmq> {
  // A port that was free may be taken by another test before RabbitMQ has it.
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce();
    } catch (error) {
      if (attempt === 3) throw error;
    }
  }
}

async function startOnce(): Promise<Rabbitmq> {
  const folder = mkdtempSync(join(tmpdir(), 'faultmap-rabbitmq-'));
  const [amqpPort, mqttPort, distPort, epmdPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ];
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const config = [
    `listeners.tcp.1 = 127.0.0.1:${amqpPort}`,
    `mqtt.listeners.tcp.1 = 127.0.0.1:${mqttPort}`,
    'mqtt.allow_anonymous = false',
    'loopback_users = none',
    `load_definitions = ${file('definitions.json', JSON.stringify(DEFINITIONS))}`,
  ];
  // Erlang's name server outlives who starts it: one of our own, which does not.
  const epmd = spawn('epmd', ['-address', '127.0.0.1', '-port', String(epmdPort)], { stdio: 'ignore' });
  epmd.on('error', () => {}); // not in the path: RabbitMQ starts its own
  const child = spawn(rabbitmqPath as string, [], {
    // A group of its own: the script starts Erlang, and both must end.
    detached: true,
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      RABBITMQ_NODENAME: `faultmap-${amqpPort}@localhost`,
      RABBITMQ_CONFIG_FILE: file('rabbitmq.conf', `${config.join('\n')}\n`),
      RABBITMQ_ENABLED_PLUGINS_FILE: file('enabled_plugins', '[rabbitmq_amqp1_0,rabbitmq_mqtt].\n'),
      RABBITMQ_CONF_ENV_FILE: file('rabbitmq-env.conf', ''),
      RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
      RABBITMQ_LOG_BASE: join(folder, 'log'),
      RABBITMQ_PID_FILE: join(folder, 'pid'),
      RABBITMQ_DIST_PORT: String(distPort),
      ERL_EPMD_ADDRESS: '127.0.0.1',
      ERL_EPMD_PORT: String(epmdPort),
    },
  });
  // However the tests end, it does not outlive them.
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    epmd.kill();
  };
  process.once('exit', kill);
  const stop = async () => {
    await endGroup(child);
    process.off('exit', kill);
    epmd.kill();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  for (let waited = 0; !((await accepts(amqpPort)) && (await accepts(mqttPort))); waited += 100) {
    if (waited > START_LIMIT_MS || child.exitCode !== null) {
      await stop();
      throw new Error(`RabbitMQ did not start (exit code ${child.exitCode})`);
    }
    await after(100);
  }
  return { amqpPort, mqttPort, stop };
}

const DEFINITIONS = {
  vhosts: [{ name: '/' }],
  users: [{ name: 'guest', password: 'guest', tags: 'administrator' }],
  permissions: [{ user: 'guest', vhost: '/', configure: '.*', write: '.*', read: '^(?!closed).*' }],
  queues: [
    { name: 'open', vhost: '/', durable: true, auto_delete: false, arguments: {} },
    {
      name: 'full',
      vhost: '/',
      durable: true,
      auto_delete: false,
      arguments: { 'x-max-length': 1, 'x-overflow': 'reject-publish' },
    },
    { name: 'closed', vhost: '/', durable: true, auto_delete: false, arguments: {} },
  ],
};

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid, 'SIGTERM');
  const late = setTimeout(() => process.kill(-(child.pid as number), 'SIGKILL'), 10_000);
  await ended;
  clearTimeout(late);
}
