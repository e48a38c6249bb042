/*
 * Classify a failed HTTP response with a nested body (404103 and 429001), at a stack depth of 20, against
 * - the floor: a new subclass of Error with four fields, and JSON.parse of the outer and inner body
 * - what azure-iot-http-base and @azure/core-amqp make of the same fault
 *
 * Run on the built packages, in one process: `node --expose-gc test/bench/classify.bench.mjs`.
 */
import { translate } from '@azure/core-amqp';
import { classify } from '@faultmap/core';
import httpBase from 'azure-iot-http-base';

const DEPTH = 20;
const LIMIT = 1.5;

/** What the cloud answers, as an HTTP client and as an AMQP client have it. */
function fault(status, errorCode, name, message, condition) {
  const inner = JSON.stringify({
    errorCode,
    trackingId: '62ca75baa6f7941456375b53274a4542-G:3-TimeStamp:03/15/2025 09:11:49',
    message,
    info: { timeout: '00:01:00' },
    timestampUtc: '2025-03-15T09:11:49.6536567Z',
  });
  const headers = { 'content-type': 'application/json; charset=utf-8', 'iothub-errorcode': name };
  const body = JSON.stringify({ Message: inner, ExceptionMessage: '' });
  return { response: { status, statusCode: status, headers, body }, amqpError: { condition, description: inner } };
}

const faults = {
  404103: fault(404, 404103, 'DeviceNotOnline', 'Timed out waiting for device to connect.', 'amqp:not-found'),
  429001: fault(429, 429001, 'ThrottlingException', 'Too many requests.', 'com.microsoft:device-container-throttled'),
};

class FloorError extends Error {
  constructor(message, code, trackingId, status, timestamp) {
    super(message);
    this.code = code;
    this.trackingId = trackingId;
    this.status = status;
    this.timestamp = timestamp;
  }
}

function floor({ body, status }) {
  const { errorCode, trackingId, message, timestampUtc } = JSON.parse(JSON.parse(body).Message);
  return new FloorError(message, errorCode, trackingId, status, timestampUtc);
}

const subjectsOf = ({ response, amqpError }) => ({
  'floor: Error subclass and two JSON.parse': () => floor(response),
  'classify: @faultmap/core': () => classify(response),
  'translateError: azure-iot-http-base': () => httpBase.RestApiClient.translateError(response.body, response),
  'translate: @azure/core-amqp': () => translate(amqpError),
});

/** Calls from 20 frames below, since capturing the stack is most of the work. */
function atDepth(depth, call) {
  if (depth > 0) return atDepth(depth - 1, call);
  return call();
}

/** Median bytes one call leaves on the heap before collection. */
function bytesPerCall(call) {
  const calls = 2_000;
  const kept = new Array(calls);
  const medians = [];
  for (let round = 0; round < 21; round++) {
    kept.fill(undefined);
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < calls; i++) kept[i] = atDepth(DEPTH, call);
    medians.push((process.memoryUsage().heapUsed - before) / calls);
  }
  return medians.sort((a, b) => a - b)[10];
}

let sink;

/** Medians of rounds in which every subject has its turn, so that a busy machine slows all alike. */
function inTurns(subjects) {
  const calls = 1_000;
  const times = new Map(Object.keys(subjects).map((name) => [name, []]));
  for (let round = 0; round < 201; round++) {
    for (const [name, call] of Object.entries(subjects)) {
      const start = process.hrtime.bigint();
      for (let i = 0; i < calls; i++) sink = atDepth(DEPTH, call);
      times.get(name).push(Number(process.hrtime.bigint() - start) / calls);
    }
  }
  return Object.fromEntries([...times].map(([name, all]) => [name, all.sort((x, y) => x - y)[100]]));
}

function report(code, subjects) {
  const names = Object.keys(subjects);
  const p50 = inTurns(subjects);
  const bytes = Object.fromEntries(names.map((name) => [name, bytesPerCall(subjects[name])]));
  const ratio = (name, of) => (of[name] / of[names[0]]).toFixed(2);
  console.log(`\n${code}: median at a stack depth of ${DEPTH}\n`);
  for (const name of names) {
    console.log(
      `${name.padEnd(44)} ${p50[name].toFixed(0).padStart(7)} ns  ${ratio(name, p50)} × floor  ${bytes[name].toFixed(0).padStart(6)} bytes  ${ratio(name, bytes)} × floor`,
    );
  }
  const ours = p50[names[1]];
  console.log(`at most ${LIMIT} × the floor: ${ours <= LIMIT * p50[names[0]] ? 'yes' : 'NO'}`);
  // Both peers parse less (one JSON document, or none) and keep neither number, tracking id nor time.
  for (const peer of names.slice(2)) console.log(`÷ ${peer}: ${(ours / p50[peer]).toFixed(2)}`);
}

// All of it once before anything counts, so that no subject is compiled for the first fault only.
for (const one of Object.values(faults)) inTurns(subjectsOf(one));
for (const [code, one] of Object.entries(faults)) report(code, subjectsOf(one));
if (sink === undefined) throw new Error('nothing ran');
if (!globalThis.gc) console.log('(bytes without --expose-gc are rough)');
