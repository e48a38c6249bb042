// One request by the built package in a process of its own: prints the typed error as JSON.
// argv: the config of the request as JSON. Certificates to trust come by NODE_EXTRA_CA_CERTS.
import { attachHttp } from '@faultmap/http';
import axios from 'axios';

const client = axios.create();
attachHttp(client, { retry: false });
try {
  await client.request(JSON.parse(process.argv[2]));
  console.log(JSON.stringify({ succeeded: true }));
} catch (error) {
  console.log(JSON.stringify(error));
}
