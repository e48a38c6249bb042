import { connectHttp, observe, rawHttp, type Scene, type Stage } from './stage.ts';

const http = { transport: 'HTTP', raw: rawHttp };
const callMethod = { methodName: 'reboot', payload: null, responseTimeoutInSeconds: 1 };

/** The rows seen over HTTP: by what a cloud does, where a behaviour is known. */
export const HTTP_SCENES: readonly Scene[] = [
  {
    key: '401003',
    play({ cloud }) {
      cloud.inject({ transport: 'http', match: { operation: 'statistics' }, fault: 401003 });
      return observeService({ cloud }, (client) => client.get('/statistics/devices'));
    },
  },
  {
    key: '403006',
    play({ cloud }) {
      const device = connectHttp(cloud, cloud.deviceToken('pump-7'));
      return observe(device.faults, http, async () => {
        for (let n = 1; n <= 11; n++) await device.client.post('/devices/pump-7/files', { blobName: `log-${n}.txt` });
      });
    },
  },
  {
    key: '404001',
    play: ({ service }) =>
      observe(service.faults, http, () => service.client.post('/twins/no-such-device/methods', callMethod)),
  },
  {
    key: '404103',
    play: ({ service }) =>
      observe(service.faults, http, () => service.client.post('/twins/pump-7/methods', callMethod)),
  },
  {
    key: '404104',
    play({ cloud, service }) {
      cloud.inject({ transport: 'http', match: { operation: 'twin-get' }, fault: 404104 });
      return observe(service.faults, http, () => service.client.get('/twins/fan-1'));
    },
  },
  {
    key: '409001',
    play: ({ service }) =>
      observe(service.faults, http, () => service.client.put('/devices/fan-1', { deviceId: 'fan-1' })),
  },
  {
    key: '412001',
    play: ({ service }) =>
      observe(service.faults, http, () =>
        service.client.patch('/twins/fan-1', { tags: { floor: 2 } }, { headers: { 'If-Match': '"stale"' } }),
      ),
  },
  {
    key: '429001',
    play: ({ service }) =>
      observe(service.faults, http, async () => {
        const query = { query: 'SELECT * FROM devices' };
        for (let n = 1; n <= 2; n++) await service.client.post('/devices/query', query);
      }),
  },
  {
    key: '503003',
    play({ cloud, service }) {
      cloud.inject({ transport: 'http', match: { operation: 'device-list' }, fault: 503003, times: 2 });
      return observe(service.faults, http, () => service.client.get('/devices'));
    },
  },
];

function observeService(
  { cloud }: Pick<Stage, 'cloud'>,
  operation: (client: ReturnType<typeof connectHttp>['client']) => Promise<unknown>,
) {
  const attached = connectHttp(cloud, cloud.serviceToken());
  return observe(attached.faults, http, () => operation(attached.client));
}
