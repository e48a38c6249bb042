// The axios adapter: what it adds to a request that succeeds and to one that fails, beside its
// peers. All variants of a table run in turn, round by round, so that noise meets them alike.
import { createServer } from 'node:http';
import {
  createDefaultHttpClient,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  defaultRetryPolicy,
} from '@azure/core-rest-pipeline';
import { attachHttp } from '@faultmap/http';
import axios, { AxiosHeaders } from 'axios';
import settle from 'axios/unsafe/core/settle.js';
import axiosRetry from 'axios-retry';
import pRetry from 'p-retry';

const BASE = 'https://hub.azure-devices.net';
const PATHS = Array.from({ length: 1_000 }, (_, i) => `/devices/dev-${i}`);
const HUB_404 = JSON.stringify({
  Message: JSON.stringify({
    errorCode: 404103,
    trackingId: 'bfa0ecfc5ea8d9c2a73fe00147249b03-G:0-TimeStamp:08/25/2025 17:06:33',
    message: 'Timed out waiting for device to connect.',
    info: { timeout: '00:00:00' },
    timestampUtc: '2018-08-24T17:49:33.201157Z',
  }),
  ExceptionMessage: '',
});

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** ns of one call of each variant in each round. */
async function time(variants, { calls, rounds, warmUp = 5 * calls }) {
  const names = Object.keys(variants);
  const took = Object.fromEntries(names.map((name) => [name, []]));
  for (const name of names) await variants[name](warmUp);
  for (let round = 0; round < rounds; round++) {
    // Another order each time: nobody always follows the same one.
    for (const name of names.toSorted(() => Math.random() - 0.5)) {
      const start = performance.now();
      await variants[name](calls);
      took[name].push(((performance.now() - start) * 1e6) / calls);
    }
  }
  return took;
}

/** Median heap bytes of one call. */
async function bytes(variants, { calls, rounds }) {
  const used = {};
  for (const [name, run] of Object.entries(variants)) {
    await run(20_000);
    const each = [];
    for (let round = 0; round < rounds; round++) {
      globalThis.gc();
      const before = process.memoryUsage().heapUsed;
      await run(calls);
      each.push((process.memoryUsage().heapUsed - before) / calls);
    }
    used[name] = median(each);
  }
  return used;
}

/** The ratio to the base of each round, so that a slow second counts for both. */
function table(title, took, base, unit = 'µs', scale = 1_000) {
  console.log(`\n${title}`);
  const rows = Object.entries(took).map(([name, values]) => ({
    '': name,
    [unit]: (median(values) / scale).toFixed(2),
    [`× ${base}`]: median(values.map((value, round) => value / took[base][round])).toFixed(3),
  }));
  console.table(Object.fromEntries(rows.map(({ '': name, ...row }) => [name, row])));
}

const loop = (call) => async (n) => {
  for (let i = 0; i < n; i++) await call(PATHS[i % PATHS.length]);
};
const failing = (call) =>
  loop(async (path) => {
    try {
      await call(path);
    } catch (error) {
      return error;
    }
    throw new Error('it succeeded');
  });

// --- Our code alone: wrap and handlers over an inner promise, without axios.

const same = (response) => response;
const refuse = (reason) => Promise.reject(reason);

/** All that axios does with its interceptors and its adapter, and nothing else that it does. */
function skeleton({ interceptors: { request, response }, defaults }) {
  // As axios makes them: without a prototype, with a good twenty keys.
  const config = Object.assign(Object.create(null), axios.defaults, { baseURL: BASE, method: 'get' });
  const look = ({ runWhen }) => runWhen(config);
  return (url) => {
    config.url = url;
    config.adapter = defaults.adapter;
    request.forEach(look);
    let mapper;
    response.forEach(({ rejected }) => {
      mapper = rejected;
    });
    const sent = config.adapter(config).then(same, refuse);
    return mapper ? sent.then(undefined, mapper) : sent;
  };
}

async function alone() {
  const response = { status: 200, statusText: 'OK', data: 'text', headers: {} };
  const adapter = (config) => {
    response.config = config;
    return Promise.resolve(response);
  };
  const attached = axios.create({ adapter });
  attachHttp(attached);
  const bare = skeleton(axios.create({ adapter }));
  const ours = skeleton(attached);
  const run = (send, paths) => async (n) => {
    for (let i = 0; i < n; i++) await send(paths[i % paths.length]);
  };
  const variants = {
    'the inner promise': run(bare, PATHS),
    'with our code, one resource': run(ours, PATHS.slice(0, 1)),
    'with our code, another device each time': run(ours, PATHS),
  };
  const took = await time(variants, { calls: 20_000, rounds: 60 });
  const used = await bytes(variants, { calls: 400, rounds: 60 });
  console.log('\nOur code alone over a resolved inner promise (goal: at most 150 ns and 300 bytes over it)');
  const [base, ...others] = Object.keys(variants);
  for (const name of others) {
    const ns = median(took[name].map((value, round) => value - took[base][round]));
    const least = Math.min(...took[name]) - Math.min(...took[base]);
    console.log(
      `  ${name}: +${ns.toFixed(0)} ns (at best +${least.toFixed(0)}), +${(used[name] - used[base]).toFixed(0)} bytes`,
    );
  }
}

// --- Whole calls on a stub adapter.

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' };
const BODY = '{"deviceId":"dev-1"}';

const ok = (config) =>
  Promise.resolve({ status: 200, statusText: 'OK', data: BODY, headers: new AxiosHeaders(JSON_HEADERS), config });
const notFound = (config) =>
  new Promise((resolve, reject) =>
    settle(resolve, reject, {
      status: 404,
      statusText: 'Not Found',
      data: HUB_404,
      headers: new AxiosHeaders({ 'content-type': 'application/json', 'iothub-errorcode': 'DeviceNotOnline' }),
      config,
    }),
  );

function clients(config) {
  const bare = axios.create(config);
  const attached = axios.create(config);
  attachHttp(attached);
  const retried = axios.create(config);
  axiosRetry(retried, { retries: 3 });
  return {
    bare: (path) => bare.get(path),
    attached: (path) => attached.get(path),
    'axios-retry': (path) => retried.get(path),
    'p-retry around the call': (path) => pRetry(() => bare.get(path), { retries: 3, shouldRetry: () => false }),
  };
}

function pipelines(base, client) {
  const plain = createEmptyPipeline();
  const retried = createEmptyPipeline();
  retried.addPolicy(defaultRetryPolicy());
  const send = (pipeline) => (path) =>
    pipeline.sendRequest(client, createPipelineRequest({ url: base + path, allowInsecureConnection: true }));
  return { 'rest-pipeline': send(plain), 'rest-pipeline with its retry': send(retried) };
}

const each = (calls, run) => Object.fromEntries(Object.entries(calls).map(([name, call]) => [name, run(call)]));

async function stub() {
  // Short turns and many: what is sought is smaller than what a core varies by within a second.
  const turns = { calls: 250, rounds: 600, warmUp: 10_000 };
  const calls = each(clients({ baseURL: BASE, adapter: ok }), loop);
  // Before others have been through axios: what V8 has seen there costs each of them.
  const { bare, attached } = calls;
  const title = 'axios.get on a stub adapter';
  table(`${title} (goal: attached at most 1.02 × bare)`, await time({ bare, attached }, turns), 'bare');
  table(`${title}, its peers in the same process`, await time(calls, turns), 'bare');

  const headers = createHttpHeaders();
  const client = { sendRequest: async (request) => ({ request, status: 200, headers, bodyAsText: '{}' }) };
  const pipes = await time(each(pipelines(BASE, client), loop), { calls: 2_000, rounds: 40 });
  table('@azure/core-rest-pipeline on a stub client, for comparison', pipes, 'rest-pipeline');

  const failed = await time(each(clients({ baseURL: BASE, adapter: notFound }), failing), {
    calls: 500,
    rounds: 60,
    warmUp: 10_000,
  });
  table('a call that fails with 404103 and is not repeated (goal: attached at most 1.1 × bare)', failed, 'bare');
}

// --- Over loopback.

async function loopback() {
  const server = createServer((request, response) => {
    const failed = request.url.startsWith('/devices/fail');
    response.writeHead(failed ? 404 : 200, { 'content-type': 'application/json' });
    response.end(failed ? HUB_404 : '{"deviceId":"dev-1"}');
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const baseURL = `http://127.0.0.1:${server.address().port}`;
  const variants = { ...clients({ baseURL }), ...pipelines(baseURL, createDefaultHttpClient()) };
  const took = await time(each(variants, loop), { calls: 100, rounds: 60, warmUp: 1_000 });
  table('one GET over loopback (goal: attached indistinguishable from bare)', took, 'bare');
  const { bare, attached } = clients({ baseURL });
  const fails = { bare: () => bare('/devices/fail'), attached: () => attached('/devices/fail') };
  const failed = await time(each(fails, failing), { calls: 100, rounds: 60, warmUp: 4_000 });
  table('one GET over loopback that fails with 404103', failed, 'bare');
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
}

await alone();
await stub();
await loopback();
