import { setTimeout as after } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import type { Script } from './support/peer.ts';
import { startPeer } from './support/peer.ts';
import { connected, type Library, outcome, quick, rejection, type Stage, staged, until } from './support/stage.ts';

// They wait far more than they work.
vi.setConfig({ maxConcurrency: 16 });

/** Disconnected by IoT Hub's preview of MQTT 5: the quota of the day is used up. */
const overQuota = ({ peer: { links } }: Stage) => {
  links[0]?.send({ cmd: 'disconnect', reasonCode: 0x83, properties: { userProperties: { status: '0502' } } });
  links[0]?.fin();
};
const refusing = (code: number): Script => ({ connect: (link) => link.connack(code) });

describe.concurrent.each<Library>(['newest', 'oldest'])('reconnect (%s mqtt.js)', (library) => {
  test('waits with growing, jittered delays, and says so before each', () =>
    staged(
      {
        library,
        peer: { script: { connect: (link) => link.fin() } },
        attach: { reconnect: { ...quick, baseDelayMs: 4, maxDelayMs: 1_000 }, random: () => 0.5 },
      },
      async (stage) => {
        await stage.heard('retry', 5);
        expect(
          stage
            .of('retry')
            .slice(0, 5)
            .map(({ attempt, delayMs }) => [attempt, delayMs]),
        ).toEqual([
          [1, 2],
          [2, 4],
          [3, 8],
          [4, 16],
          [5, 32],
        ]);
        stage.peer.script({});
        await stage.heard('recovered');
        expect(stage.of('fault').length).toBe(stage.of('retry').length);
        expect(
          stage
            .of('fault')
            .slice(0, 3)
            .map(({ attempt }) => attempt),
        ).toEqual([1, 2, 3]);
      },
    ));

  test('after a refusal that passes, which mqtt.js would not repeat at all or hammer with', () =>
    staged({ library, peer: { script: refusing(3) }, attach: { reconnect: quick } }, async (stage) => {
      const pending = stage.client.publishAsync('a', 'x', { qos: 1 });
      await stage.heard('fault', 3);
      stage.peer.script({});
      expect(await outcome(pending)).toHaveProperty('value');
      expect(stage.of('recovered')).toHaveLength(1);
      expect(stage.of('give-up')).toEqual([]);
    }));

  test('asks for fresh credentials before it comes back', () => {
    let asked = 0;
    const password = () => `fresh-${++asked}`;
    return staged(
      {
        library,
        client: { username: 'u', password: 'stale' },
        peer: { script: { connect: (link, packet) => link.connack(String(packet.password) === 'fresh-2' ? 0 : 5) } },
        attach: { reconnect: { ...quick, slowDelayMs: 1 }, credentials: async () => ({ password: password() }) },
      },
      async (stage) => {
        await stage.heard('recovered');
        expect(stage.peer.links.map(({ connect }) => String(connect?.password))).toEqual([
          'stale',
          'fresh-1',
          'fresh-2',
        ]);
        expect(stage.of('give-up')).toHaveLength(1);
      },
    );
  });

  test('tells credentials that cannot be had as one fault, and goes on', () => {
    let asked = 0;
    return staged(
      {
        library,
        client: { username: 'u', password: 'stale' },
        peer: { script: { connect: (link, packet) => link.connack(String(packet.password) === 'good' ? 0 : 5) } },
        attach: {
          reconnect: { ...quick, slowDelayMs: 1 },
          credentials: () => {
            if (++asked === 1) throw new Error('the vault is away, planted-vault-text');
            return { password: 'good', clientId: 'renamed' };
          },
        },
      },
      async (stage) => {
        await stage.heard('recovered');
        expect(stage.of('fault').map(({ error }) => error.reason)).toEqual([
          'Not authorized',
          'CredentialsUnavailable',
        ]);
        expect(stage.peer.links.at(-1)?.connect?.clientId).toBe('renamed');
      },
    );
  });

  test('probes slowly after a fault that does not pass, says until when, and `resume` probes at once', () =>
    staged(
      { library, peer: { script: refusing(5) }, attach: { reconnect: { ...quick, slowDelayMs: 600_000 } } },
      async (stage) => {
        const { nextProbeAt, stopped } = await stage.heard('give-up');
        expect(stopped).toBeUndefined();
        expect(nextProbeAt?.getTime()).toBeGreaterThan(Date.now() + 200_000);
        const connections = stage.peer.links.length;
        await after(80);
        expect(stage.peer.links).toHaveLength(connections);
        stage.peer.script({});
        stage.handle.resume();
        await stage.heard('recovered');
        expect(await outcome(stage.client.publishAsync('a', 'x', { qos: 1 }))).toHaveProperty('value');
      },
    ));

  test('stops for good where asked to, until `resume`', () =>
    staged(
      { library, peer: { script: refusing(2) }, attach: { reconnect: { ...quick, onPermanentFault: 'stop' } } },
      async (stage) => {
        expect(await stage.heard('give-up')).toMatchObject({ stopped: 'not-transient' });
        await after(80);
        expect(stage.peer.links).toHaveLength(1);
        expect(await rejection(stage.client.publishAsync('a', 'x', { qos: 1 }))).toMatchObject({
          category: 'bad-request',
        });
        stage.peer.script({});
        stage.handle.resume();
        await stage.heard('recovered');
      },
    ));

  test('stops after `maxAttempts`', () =>
    staged(
      {
        library,
        peer: { script: { connect: (link) => link.fin() } },
        attach: { reconnect: { ...quick, maxAttempts: 3 } },
      },
      async (stage) => {
        const failed = rejection(stage.client.publishAsync('a', 'x', { qos: 1 }));
        expect(await stage.heard('give-up')).toMatchObject({ stopped: 'attempts' });
        expect(await failed).toMatchObject({ category: 'unknown', executed: 'no' });
        expect(await rejection(stage.handle.request('$iothub/twin/GET/', '', { retry: false }))).toMatchObject({
          category: 'unknown',
          executed: 'no',
          attempts: 0,
        });
        expect(stage.peer.links).toHaveLength(4);
      },
    ));

  test('does not take back what was taken over', () =>
    staged({ library, level: 5, attach: { reconnect: { ...quick, takeOverDelayMs: 600_000 } } }, async (stage) => {
      await connected(stage);
      stage.peer.links[0]?.send({ cmd: 'disconnect', reasonCode: 0x8e });
      stage.peer.links[0]?.fin();
      const { nextProbeAt } = await stage.heard('give-up');
      expect(nextProbeAt?.getTime()).toBeGreaterThan(Date.now() + 500_000);
      await after(80);
      expect(stage.peer.links).toHaveLength(1);
    }));

  test('does not hurry back to who closes soon after accepting, again and again', () =>
    staged(
      {
        library,
        peer: { script: { connect: (link) => [link.connack(0), link.fin()] } },
        attach: { reconnect: { baseDelayMs: 1, maxDelayMs: 10 } },
      },
      async (stage) => {
        await stage.heard('retry', 2);
        const [first, second] = stage.of('retry').map(({ delayMs }) => delayMs);
        expect(first).toBeLessThanOrEqual(1);
        // Whatever `maxDelayMs` says.
        expect(second).toBeGreaterThanOrEqual(5_000);
        expect(second).toBeLessThanOrEqual(7_500);
      },
    ));

  test('comes back after the quota is reset', () =>
    staged({ library, level: 5, attach: { reconnect: quick } }, async (stage) => {
      await connected(stage);
      overQuota(stage);
      const { error, nextProbeAt } = await stage.heard('give-up');
      expect(error).toMatchObject({ category: 'quota', advice: 'at-reset' });
      expect(nextProbeAt?.getTime()).toBeGreaterThanOrEqual(error.resetAt?.getTime() ?? Infinity);
    }));

  test('probes slowly over a quota, where asked to', () =>
    staged(
      { library, level: 5, attach: { reconnect: { ...quick, onQuota: 'slow', slowDelayMs: 1 } } },
      async (stage) => {
        await connected(stage);
        overQuota(stage);
        await stage.heard('recovered');
      },
    ));

  test('after a time-out of its own too, where mqtt.js has armed its timer already', () =>
    staged(
      {
        library,
        client: { connectTimeout: 60, reconnectPeriod: 600_000 },
        peer: { script: { connect: () => {} } },
        attach: { reconnect: quick },
      },
      async (stage) => {
        await stage.heard('fault', 2);
        stage.peer.script({});
        await stage.heard('recovered');
      },
    ));

  test('also where the program has mqtt.js repeat a refused CONNACK', () =>
    staged(
      {
        library,
        client: { reconnectOnConnackError: true, reconnectPeriod: 600_000 },
        peer: { script: refusing(3) },
        attach: { reconnect: quick },
      },
      async (stage) => {
        await stage.heard('fault', 2);
        stage.peer.script({});
        await stage.heard('recovered');
        expect(stage.of('fault')).toHaveLength(stage.of('retry').length);
      },
    ));

  test('with `reconnect: false` is left to mqtt.js', () =>
    staged({ library, client: { reconnectPeriod: 10 }, attach: { reconnect: false } }, async (stage) => {
      await connected(stage);
      stage.peer.links[0]?.reset();
      await stage.client.publishAsync('a', 'x', { qos: 1 });
      expect(stage.of('recovered')).toHaveLength(1);
      expect(stage.of('retry')).toEqual([]);
      expect(stage.client.options.reconnectPeriod).toBe(10);
    }));

  test('survives a configuration that cannot even be dialled', () =>
    staged({ library, attach: { reconnect: quick } }, async (stage) => {
      await connected(stage);
      const port = stage.client.options.port;
      stage.client.options.port = 99_999;
      stage.peer.links[0]?.reset();
      await stage.heard('fault', 2);
      stage.client.options.port = port as number;
      stage.handle.resume();
      await stage.heard('recovered');
      expect(stage.of('fault')[1]?.error).toMatchObject({ reason: 'ERR_SOCKET_BAD_PORT' });
    }));

  test('keeps stored messages and subscriptions', () =>
    staged(
      {
        library,
        // On a busy machine the peer may close at it often before it is told not to.
        attach: { reconnect: quick, withdrawAfterCloses: Infinity },
        peer: { script: { publish: (link) => link.reset() } },
      },
      async (stage) => {
        await stage.client.subscribeAsync('news');
        const pending = stage.client.publishAsync('a', 'x', { qos: 1 });
        await stage.heard('fault');
        stage.peer.script({});
        expect(await outcome(pending)).toHaveProperty('value');
        await until(() => (stage.peer.links.at(-1)?.of('subscribe').length ?? 0) > 0, 'it subscribes again');
      },
    ));
});

test('a restart of the broker is one loss, and one recovery', async () => {
  const first = await startPeer();
  await staged(
    { url: first.url, attach: { reconnect: { ...quick, baseDelayMs: 20, maxDelayMs: 20 } } },
    async (stage) => {
      await connected(stage);
      await first.stop();
      await stage.heard('fault', 3);
      const second = await startPeer({ port: first.port });
      await stage.heard('recovered');
      expect(stage.of('recovered')).toHaveLength(1);
      expect(second.links).toHaveLength(1);
      await second.stop();
    },
  );
});

test('a client made with reconnectPeriod 0 is not reconnected, unless asked to', async () => {
  await staged({ client: { reconnectPeriod: 0 }, attach: {} }, async (stage) => {
    await connected(stage);
    stage.peer.links[0]?.reset();
    expect(await stage.heard('give-up')).toMatchObject({ stopped: 'disabled' });
    expect(stage.client.options.reconnectPeriod).toBe(0);
  });
  await staged({ client: { reconnectPeriod: 0 }, attach: { reconnect: quick } }, async (stage) => {
    await connected(stage);
    stage.peer.links[0]?.reset();
    await stage.heard('recovered');
  });
});
