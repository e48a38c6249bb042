import { attachHttp, azureIotIdempotent } from '@faultmap/http';
import axios, { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { beginsWithSegments, pacerKeyOf, sharedPrefixOf } from '../src/pacer-key.ts';

function config(method: string, url: string, baseURL?: string): InternalAxiosRequestConfig {
  return { method, url, headers: new AxiosHeaders(), ...(baseURL !== undefined && { baseURL }) };
}

describe('azureIotIdempotent', () => {
  test.each([
    '/devices/query?api-version=2021-04-12',
    'https://hub.azure-devices.net/devices/query',
    '/configurations/testQueries?api-version=2021-04-12',
    '/enrollments/query?api-version=2021-10-01',
    '/enrollmentGroups/query?api-version=2021-10-01',
    '/registrations/my-group/query?api-version=2021-10-01',
    '/enrollments/dev-1/attestationmechanism?api-version=2021-10-01',
    '/enrollmentGroups/group-1/attestationmechanism?api-version=2021-10-01',
    'https://global.azure-devices-provisioning.net/0ne000A0001/registrations/dev-1?api-version=2019-03-31',
  ])('POST %s only reads', (url) => {
    expect(azureIotIdempotent(config('post', url))).toBe(true);
    expect(azureIotIdempotent(config('POST', url, 'https://hub.azure-devices.net/'))).toBe(true);
  });

  test.each([
    '/devices/dev-1/messages/events?api-version=2021-04-12',
    '/twins/dev-1/methods?api-version=2021-04-12',
    '/devices/dev-1/files',
    '/devices/query/methods',
    '/devices',
    '/jobs/create',
    '/messages/devicebound',
    '/configurations/id/applyConfigurationContent',
  ])('it says nothing about POST %s', (url) => {
    expect(azureIotIdempotent(config('post', url))).toBeUndefined();
  });

  test('nor about other methods, nor about what is no URL', () => {
    expect(azureIotIdempotent(config('patch', '/devices/query'))).toBeUndefined();
    expect(azureIotIdempotent(config('get', '/devices/query'))).toBeUndefined();
    expect(azureIotIdempotent(config('post', 'http://:::/devices/query'))).toBeUndefined();
  });
});

describe('the key of the pace', () => {
  test.each([
    [
      config('get', '/devices/dev-1?api-version=1', 'https://hub.azure-devices.net'),
      'http hub.azure-devices.net read devices',
    ],
    [config('put', 'devices/dev-1', 'https://hub.azure-devices.net/'), 'http hub.azure-devices.net write devices'],
    [
      config('post', 'https://hub.azure-devices.net:8443/twins/a/methods'),
      'http hub.azure-devices.net:8443 write twins',
    ],
    [config('get', '?sig=secret', 'https://user:secret@host/base/path'), 'http host read base'],
    [config('get', 'https://user:secret@host?sig=secret'), 'http host read '],
    [config('get', 'https://elsewhere/x', 'https://host/base'), 'http elsewhere read x'],
    [config('get', '/relative'), 'http  read relative'],
  ])('of %o is %s', (given, key) => {
    expect(pacerKeyOf(given)).toBe(key);
  });

  const segment = fc.stringMatching(/^[a-z0-9-]{1,6}$/);
  const url = fc
    .tuple(
      fc.constantFrom('', '/', 'http://h/', 'https://a:b@h:1/', '//h/'),
      fc.array(segment, { maxLength: 3 }),
      fc.constantFrom('', '/', '?q=/x', '#f'),
    )
    .map(([start, segments, end]) => start + segments.join('/') + end);
  const base = fc.constantFrom(undefined, '', 'http://h', 'http://h/', 'https://h:1/base', 'https://h/base/');

  test('is the one that the platform would find', () => {
    fc.assert(
      fc.property(url, base, (relative, baseURL) => {
        // axios' own way of joining the two
        const uri = axios.getUri({ url: relative, ...(baseURL && { baseURL }) });
        fc.pre(URL.canParse(uri, 'http://none'));
        const joined = new URL(uri, 'http://none');
        const [, first] = joined.pathname.split(/\/+/);
        const key = pacerKeyOf(config('get', relative, baseURL));
        expect(key).toBe(`http ${joined.host === 'none' ? '' : joined.host} read ${first ?? ''}`);
      }),
    );
  });

  test('is the same for all URLs that share the prefix', () => {
    fc.assert(
      fc.property(
        url,
        fc.constantFrom('', '/', '//', '?', '#', '@', ':', 'x'),
        url,
        base,
        (one, glue, rest, baseURL) => {
          const prefix = sharedPrefixOf(config('get', one, baseURL));
          const other = `${prefix ?? ''}${glue}${rest}`;
          fc.pre(prefix !== undefined && beginsWithSegments(other, prefix));
          expect(pacerKeyOf(config('get', other, baseURL))).toBe(pacerKeyOf(config('get', one, baseURL)));
        },
      ),
    );
  });
});

test('a function given as idempotent that throws is the program’s own mistake', async () => {
  const mistake = new TypeError('mine');
  const client = axios.create({
    adapter: async (given) => ({ status: 200, statusText: '', data: '', headers: {}, config: given }),
  });
  attachHttp(client, {
    idempotent: () => {
      throw mistake;
    },
  });
  // Asked only when something failed.
  expect((await client.get('/')).status).toBe(200);
  const failing = axios.create({ adapter: (given) => Promise.reject(new axios.AxiosError('x', 'ECONNRESET', given)) });
  attachHttp(failing, {
    idempotent: () => {
      throw mistake;
    },
  });
  await expect(failing.get('/')).rejects.toBe(mistake);
});
