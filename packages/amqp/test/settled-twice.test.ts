import type { Delivery, EventContext } from 'rhea';
import { describe, expect, it } from 'vitest';
import { until } from './support/client.ts';
import { outcome } from './support/internals.ts';
import { caught, receiving } from './support/receiving.ts';

/** A receiver of each settle mode, at a peer that confirms in the second. */
const MODES = [0, 1] as const;

function receivingIn(mode: 0 | 1, { confirm = true, ...receiver }: { confirm?: boolean; autoaccept?: boolean } = {}) {
  return receiving(
    (container) => {
      const answer = ({ delivery }: EventContext) =>
        confirm && (delivery as Delivery).update(true, outcome.accepted().described());
      container.on('accepted', answer);
      container.on('rejected', answer);
    },
    {
      receiver: { rcv_settle_mode: mode, ...receiver },
      sender: { autosettle: mode === 0 },
      attach: { attemptTimeoutMs: 500 },
    },
  );
}

describe.each(MODES)('a delivery that is settled twice by handle.settle (rcv_settle_mode %i)', (mode) => {
  it('the same outcome is the same result, another one a mistake', async () => {
    const { client, delivery } = await receivingIn(mode);
    await Promise.all([client.handle.settle(delivery, 'accepted'), client.handle.settle(delivery, 'accepted')]);
    await client.handle.settle(delivery, 'accepted');
    await expect(client.handle.settle(delivery, 'rejected')).rejects.toThrow(
      'settle: this delivery is settled already, as accepted, not rejected',
    );
    expect(client.faults).toEqual([]);
  });

  it('the content counts: one error is not another', async () => {
    const { client, delivery } = await receivingIn(mode);
    const { handle } = client;
    const first = { rejected: { condition: 'app:a', description: 'A', info: { line: 1 } } };
    await handle.settle(delivery, first);
    await handle.settle(delivery, structuredClone(first));
    expect(await caught(handle.settle(delivery, { rejected: { condition: 'app:b' } }))).toMatchObject({
      name: 'TypeError',
      message: 'settle: this delivery is settled already, as rejected (app:a), not rejected (app:b)',
    });
    const other = { rejected: { ...first.rejected, info: { line: 2 } } };
    await expect(handle.settle(delivery, other)).rejects.toThrow('as rejected (app:a), with other content');
  });
});

describe.each(MODES)('a delivery that the application settled itself (rcv_settle_mode %i)', (mode) => {
  it.each([true, false])(
    'accept() before: the same outcome resolves, another one is refused (confirmed: %s)',
    async (confirm) => {
      const { client, delivery } = await receivingIn(mode, { confirm });
      delivery.accept();
      if (confirm && mode === 1) await until(() => delivery.remote_settled);
      const refused = await caught(client.handle.settle(delivery, 'released'));
      expect(refused).toBeInstanceOf(TypeError);
      expect((refused as Error).message).toMatchInlineSnapshot(
        `"settle: this delivery is settled already, as accepted, not released, by the program itself: settle each delivery once, with handle.settle only"`,
      );
      const same = await caught(client.handle.settle(delivery, 'accepted'));
      // The word of the peer is still to come.
      if (mode === 1 && !confirm) expect(same).toMatchObject({ category: 'timeout', executed: 'unknown' });
      else expect(same).toBeUndefined();
      expect(client.faults).toEqual([]);
    },
  );

  it('autoaccept was first: the message names the option', async () => {
    const { client, delivery } = await receivingIn(mode, { autoaccept: true });
    const refused = await caught(client.handle.settle(delivery, { rejected: { condition: 'app:bad' } }));
    expect((refused as Error).message).toMatchInlineSnapshot(
      `"settle: this delivery is settled already, as accepted, not rejected (app:bad), by rhea's autoaccept: open the receiver with autoaccept: false, and settle with handle.settle only"`,
    );
    await client.handle.settle(delivery, 'accepted');
    expect(client.faults).toEqual([]);
  });
});

describe.each(MODES)('a delivery that the peer settled (rcv_settle_mode %i)', (mode) => {
  it('sent settled: accepting it is done at once, anything else is refused', async () => {
    const { client, delivery } = await receiving(() => {}, {
      receiver: { rcv_settle_mode: mode },
      sender: { snd_settle_mode: 1 },
    });
    await expect(client.handle.settle(delivery, 'rejected')).rejects.toThrow(
      'settle: the peer sent this delivery settled, so it cannot be rejected: open the receiver with snd_settle_mode: 0',
    );
    await client.handle.settle(delivery, 'accepted');
    expect(delivery.settled).toBe(true);
    expect(client.faults).toEqual([]);
  });

  it.each(['handle.settle', 'accept()'])('taken back while it was locked: %s finds the lock lost', async (how) => {
    const { peer, client, delivery } = await receiving(() => {}, { receiver: { rcv_settle_mode: mode } });
    peer.sent[0]?.update(true, outcome.released().described());
    await until(() => delivery.remote_settled);
    expect(client.faults).toEqual([]);
    if (how === 'accept()') delivery.accept();
    else expect(await caught(client.handle.settle(delivery, 'accepted'))).toMatchObject({ code: 412002 });
    expect(client.faults.map(({ error }) => error.code)).toEqual([412002]);
  });
});

it('a delivery of a send is none to settle', async () => {
  const { client } = await receiving();
  const sent = await client.handle.send(client.connection.open_sender('q'), { body: 'x' });
  await expect(client.handle.settle(sent, 'accepted')).rejects.toThrow('expected a received delivery of rhea');
});
