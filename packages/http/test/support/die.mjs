// Dies of a typed error in the way that is asked for: argv: way, adapter, url.
import { attachHttp } from '@faultmap/http';
import axios from 'axios';
import { secretConfig } from './secrets.mjs';

const [way, adapter, url] = process.argv.slice(2);
const client = axios.create({ adapter });
attachHttp(client);

const pending = client.request(secretConfig(url));
if (way === 'unhandled') {
  await new Promise((never) => setTimeout(never, 5_000));
} else {
  const error = await pending.catch((thrown) => thrown);
  setImmediate(() => {
    if (way === 'uncaught') throw error;
    if (way === 'cause') throw new Error('the upload failed', { cause: error });
    throw new AggregateError([error, new Error('another')], 'all failed');
  });
}
