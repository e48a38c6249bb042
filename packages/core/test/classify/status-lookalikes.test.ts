import { classify } from '@faultmap/core';
import { describe, expect, test } from 'vitest';

describe('a number in brackets is a status where a phrase of HTTP stands behind it', () => {
  test.each([
    ['The remote server returned an error: (401) Unauthorized.', 401],
    ['The remote server returned an unexpected response: (502) Bad Gateway', 502],
    ['caused by: HTTP request failed: [404 Not Found] {}', 404],
    ['HTTP request failed: [401    \nMay  5 12:00:00 host app[1]:    Unauthorized]', 401],
    ['HTTP request failed: [413 Payload Too Large]', 413],
    ['HTTP request failed: [429 Too Many Requests]', 429],
    ['HTTP request failed: [401     \n      Unauthorized]', 401],
  ])('%s', (text, status) => {
    expect(classify(text).httpStatus).toBe(status);
  });

  test.each([
    // ESP-IDF writes the milliseconds since the start
    'E (369) esp-tls: could not get hostname: getaddrinfo() returns 202',
    'E (404) MQTT_CLIENT: Connection refused, not authorized',
    'W (503) wifi: station disconnected',
    'Process (404) Ended',
    'took [500 ms] to connect',
    'retries [429 times] failed',
    'Error: 404 files are missing',
  ])('none in: %s', (text) => {
    expect(classify(text).httpStatus).toBeUndefined();
  });

  test('the words behind a time are what counts', () => {
    expect(classify('E (404) MQTT_CLIENT: Connection refused, not authorized').category).toBe('unauthorized');
    expect(classify('E (369) esp-tls: getaddrinfo() returns 202').category).toBe('network');
  });
});

describe('a status, as more HTTP clients print it', () => {
  test.each([
    ['Got HTTP response 401', 401],
    ['http_code=503', 503],
    ['StatusCode:Forbidden', 403],
    ["aiohttp.client_exceptions.ClientResponseError: 429, message='Too Many Requests', url=URL('https://h')", 429],
    ['HttpClientErrorException$NotFound: 404 : [no body]', 404], // Spring
    ['<-- 404 https://hub.example/devices/d (12ms)', 404], // OkHttp
    ['StatusCodeError: 404 - {"Message":"x"}', 404], // request-promise
    ['Error: 429 {"Message":"x"}', 429],
    ['Error: 503 Service Unavailable', 503],
  ])('%s', (text, status) => {
    expect(classify(text).httpStatus).toBe(status);
  });
});
