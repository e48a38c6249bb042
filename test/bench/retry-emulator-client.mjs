// One process of retry-emulator.bench.mjs: real axios, all of its operations at once.
import { Agent } from 'node:http';
import { createPacer } from '@faultmap/core';
import { attachHttp } from '@faultmap/http';
import axios from 'axios';
import axiosRetry, { exponentialDelay, isNetworkOrIdempotentRequestError } from 'axios-retry';

process.once('message', async ({ url, authorization, operations, mode }) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  const instance = axios.create({ httpAgent: agent, headers: { authorization }, validateStatus: (s) => s === 200 });
  let sent = 0;
  const send = instance.defaults.adapter;
  const http = axios.getAdapter(send);
  instance.defaults.adapter = (config) => {
    sent++;
    return http(config);
  };
  // A deadline above the ideal drain, and the number of attempts that a bulk job should have.
  const retry = { deadlineMs: 120_000, maxAttempts: 10 };
  if (mode === 'axios-retry')
    axiosRetry(instance, {
      retries: 10,
      retryDelay: exponentialDelay,
      retryCondition: (error) => error.response?.status === 429 || isNetworkOrIdempotentRequestError(error),
    });
  else
    attachHttp(instance, {
      retry: mode === 'slowStart' ? { ...retry, pacer: createPacer({ slowStart: true }) } : retry,
    });

  const begun = Date.now();
  const stopped = [];
  let ok = 0;
  let ended = begun;
  await Promise.all(
    Array.from({ length: operations }, () =>
      instance.get(url).then(
        () => {
          ok++;
          ended = Date.now();
        },
        (error) => stopped.push(String(error.stopped ?? error.message)),
      ),
    ),
  );
  agent.destroy();
  process.send({ begun, ended, ok, sent, stopped });
});
process.send('ready');
