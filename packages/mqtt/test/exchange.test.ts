import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exchangeOf, matches, queryOf, statusIn, withRequestId } from '../src/exchange.ts';

const level = fc.stringMatching(/^[a-z0-9$_-]{0,8}$/);
const topic = fc.array(level, { minLength: 1, maxLength: 5 }).map((levels) => levels.join('/'));
const pairs = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.string({ maxLength: 12 }), { maxKeys: 4 });

test('the request id comes first, replaces one that was there, and the rest of the query stays', () => {
  expect(withRequestId('$iothub/twin/GET/', 'r')).toBe('$iothub/twin/GET/?$rid=r');
  expect(withRequestId('$iothub/twin/GET', 'r')).toBe('$iothub/twin/GET/?$rid=r');
  expect(withRequestId('a/?x=1&$rid=old&y=2', 'r')).toBe('a/?$rid=r&x=1&y=2');
  fc.assert(
    fc.property(topic, pairs, (path, query) => {
      const text = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
      const asked = withRequestId(`${path}/?${text.join('&')}`, 'rid-1');
      expect(queryOf(asked)).toEqual({ ...query, $rid: 'rid-1' });
      expect(asked.startsWith(`${path}/?$rid=rid-1`)).toBe(true);
    }),
  );
});

test('a topic matches itself, with any level as +, and with any end as #', () => {
  fc.assert(
    fc.property(topic, fc.nat(), (name, at) => {
      const levels = name.split('/');
      const which = at % levels.length;
      expect(matches(name, name)).toBe(true);
      expect(matches(levels.with(which, '+').join('/'), name)).toBe(true);
      expect(matches([...levels.slice(0, which), '#'].join('/'), name)).toBe(true);
      expect(matches(`${name}/more`, name)).toBe(false);
      expect(matches(levels.with(which, 'OTHER').join('/'), name)).toBe(false);
    }),
  );
  // `#` includes its parent [MQTT 4.7.1.2].
  expect(matches('a/#', 'a')).toBe(true);
  expect(matches('$share/group/a/+', 'a/b')).toBe(true);
});

test('which pairs are known, and what of them may run twice', () => {
  expect(exchangeOf('$iothub/twin/GET/', undefined)).toMatchObject({ service: 'iot-hub', idempotent: true });
  expect(exchangeOf('$iothub/twin/PATCH/properties/reported/', undefined)).toMatchObject({ idempotent: false });
  expect(exchangeOf('$dps/registrations/PUT/iotdps-register/', undefined)).toMatchObject({ service: 'dps' });
  expect(exchangeOf('a', 'b')).toMatchObject({ service: 'other', filter: 'b', idempotent: false });
  expect(exchangeOf('a', undefined)).toBeUndefined();
  expect([statusIn('$iothub/twin/res/204/?$rid=1'), statusIn('a/200'), statusIn('a/20/?x')]).toEqual([
    204,
    200,
    undefined,
  ]);
});
