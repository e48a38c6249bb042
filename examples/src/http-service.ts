// A back end calls a direct method of a device over HTTP.
import { isDeviceCloudError } from '@faultmap/core';
import { attachHttp, azureIotIdempotent } from '@faultmap/http';
import axios from 'axios';

const hub = axios.create({
  baseURL: process.env.HUB_URL ?? 'https://my-hub.azure-devices.net',
  params: { 'api-version': '2021-04-12' },
  headers: { authorization: process.env.HUB_SAS ?? '' },
  timeout: 10_000,
});
const handle = attachHttp(hub, { idempotent: azureIotIdempotent });
handle.on('retry', ({ error, delayMs }) => console.log(`${error.message}: again in ${delayMs} ms`));

try {
  const { data } = await hub.post(
    '/twins/pump-7/methods',
    { methodName: 'reboot', payload: null },
    { faultmap: { operation: 'reboot pump-7' } },
  );
  console.log('rebooted', data.status);
} catch (error) {
  if (!isDeviceCloudError(error)) throw error;
  switch (error.category) {
    case 'offline':
      console.log(`not now: ${error.reason} (${error.code}), tracking id ${error.trackingId}`);
      break;
    case 'timeout':
      console.log(error.executed === 'no' ? 'did not run' : 'may have run: ask the device');
      break;
    default:
      console.log(error.message, error.fix);
  }
}
