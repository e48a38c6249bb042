// The peers by their published formulas (versions in the table of the README): when does attempt
// n + 1 follow a failure? `undefined`: never.

const uniform = (random, from, to) => from + random() * (to - from);

/** A peer that decides for each operation alone. */
function alone(name, delay, maxAttempts = Infinity) {
  return {
    name,
    process: ({ engine, hub, random }) => {
      return (done) => {
        const startedAt = engine.now;
        const state = {};
        const attempt = (number) => {
          const sentAt = engine.now;
          hub.request((outcome, hint) => {
            if (outcome === 'ok') return done(true, number);
            const wait =
              number >= maxAttempts
                ? undefined
                : delay({
                    n: number,
                    outcome,
                    hint,
                    random,
                    state,
                    elapsed: engine.now - startedAt,
                    took: engine.now - sentAt,
                  });
            if (wait === undefined) return done(false, number);
            engine.after(wait, () => attempt(number + 1));
          }, false);
        };
        attempt(1);
      };
    },
  };
}

const axiosExponential = ({ n, hint, random }) => Math.max(hint ?? 0, 2 ** n * 100 * (1 + random() * 0.2));

/** azure-iot-common: the random term leaves its minimum out, so that a throttled first wait is 10 s for everybody. */
const azureNode = ({ n, outcome, random, elapsed }) => {
  if (elapsed >= 240_000) return undefined;
  const [min, step, max] = outcome === 'throttled' ? [10_000, 1_250, 60_000] : [100, 25, 10_000];
  return Math.min(max, min + (2 ** (n - 1) - 1) * random() * step);
};

const azureCsharp = ({ n, random, elapsed, took }) => {
  if (elapsed >= 240_000) return undefined;
  const wait = Math.min(10_000, 100 + (2 ** (n - 1) - 1) * uniform(random, 80, 120));
  return Math.max(wait, 1_000 - took);
};

const restPipeline = ({ n, outcome, hint, random }) => {
  if (outcome === 'throttled') return hint; // 429 only with a hint
  const most = Math.min(64_000, 1_000 * 2 ** (n - 1));
  return uniform(random, most / 2, most);
};

/** cockatiel's decorrelated jitter (Polly's formula), 128 ms to 30 s. */
const cockatiel = ({ n, random, state }) => {
  const p = 4;
  const scale = 1 / 1.4;
  const t = n - 1 + random();
  const next = 2 ** t * Math.tanh(Math.sqrt(p * t));
  const wait = Math.min(30_000, Math.max(0, next - (state.before ?? 0)) * scale * 128);
  state.before = next;
  return wait;
};

const pRetry = ({ n }) => 1_000 * 2 ** (n - 1);
const ky = ({ n, hint }) => hint ?? 300 * 2 ** (n - 1);
const undici = ({ n, hint }) => Math.min(30_000, hint ?? 500 * 2 ** (n - 1));
const retryAxios = ({ n, hint }) => hint ?? ((2 ** n - 1) / 2) * 100;

/** smithy standard: token bucket 500 (5 a retry), full jitter; the adaptive mode adds a CUBIC send rate. */
function smithy(name, adaptive, maxAttempts) {
  return {
    name,
    process: ({ engine, hub, random }) => {
      let bucket = 500;
      const limiter = adaptive ? cubic(engine) : undefined;
      return (done) => {
        const attempt = (number) => {
          hub.request((outcome) => {
            limiter?.answered(outcome === 'throttled');
            if (outcome === 'ok') {
              bucket = Math.min(500, bucket + (number > 1 ? 5 : 1));
              return done(true, number);
            }
            if (number >= maxAttempts || (maxAttempts < Infinity && bucket < 5)) return done(false, number);
            bucket = Math.max(0, bucket - 5);
            const base = outcome === 'throttled' ? 500 : 100;
            engine.after(random() * Math.min(20_000, base * 2 ** (number - 1)), () => attempt(number + 1));
          }, false);
        };
        // Only first attempts take a send token.
        if (limiter) limiter.token(() => attempt(1));
        else attempt(1);
      };
    },
  };
}

/** @smithy/util-retry DefaultRateLimiter, its numbers. */
function cubic(engine) {
  const BETA = 0.7;
  const SCALE = 0.4;
  const SMOOTH = 0.8;
  const MIN_FILL = 0.5;
  let capacity = 0;
  let maxCapacity = 1;
  let fill = 0;
  let enabled = false;
  let lastTimestamp;
  let measured = 0;
  let bucketAt = Math.floor(engine.now / 1000);
  let requests = 0;
  let lastMax = 0;
  let throttledAt = engine.now / 1000;
  let window = 0;
  const seconds = () => engine.now / 1000;
  const refill = () => {
    const now = seconds();
    if (lastTimestamp !== undefined) capacity = Math.min(maxCapacity, capacity + (now - lastTimestamp) * fill);
    lastTimestamp = now;
  };
  const measure = () => {
    const bucket = Math.floor(seconds() * 2) / 2;
    requests++;
    if (bucket > bucketAt) {
      measured = (requests / (bucket - bucketAt)) * SMOOTH + measured * (1 - SMOOTH);
      requests = 0;
      bucketAt = bucket;
    }
  };
  const update = (rate) => {
    refill();
    fill = Math.max(rate, MIN_FILL);
    maxCapacity = Math.max(rate, 1);
    capacity = Math.min(capacity, maxCapacity);
  };
  return {
    token(go) {
      if (!enabled) return go();
      refill();
      if (capacity >= 1) {
        capacity -= 1;
        return go();
      }
      // As published: everybody who waits wakes up by itself and looks again.
      engine.after(Math.max(1, ((1 - capacity) / fill) * 1000), () => this.token(go));
    },
    answered(throttling) {
      measure();
      let rate;
      if (throttling) {
        const used = enabled ? Math.min(measured, fill) : measured;
        lastMax = used;
        window = Math.cbrt((lastMax * (1 - BETA)) / SCALE);
        throttledAt = seconds();
        rate = used * BETA;
        enabled = true;
      } else {
        window = Math.cbrt((lastMax * (1 - BETA)) / SCALE);
        rate = SCALE * (seconds() - throttledAt - window) ** 3 + lastMax;
      }
      update(Math.min(rate, 2 * measured));
    },
  };
}

/** As they come: their own limit of attempts. */
export const asTheyCome = [
  alone('axios-retry', () => 0, 4),
  alone('p-retry', pRetry, 11),
  alone('ky', ky, 3),
  alone('undici', undici, 6),
  alone('retry-axios', retryAxios, 4),
  alone('core-rest-pipeline', restPipeline, 4),
  alone('core-amqp', () => 30_000, 4),
  smithy('smithy standard', false, 3),
  smithy('smithy adaptive', true, 3),
  alone('Azure IoT SDK for Node', azureNode),
  alone('Azure IoT SDK for C#', azureCsharp),
];

/** With unlimited attempts, so that they complete what they are given. */
export const unlimited = [
  alone('axios-retry, no delay', () => 0),
  alone('axios-retry exponential', axiosExponential),
  alone('p-retry', ({ n }) => Math.min(30_000, pRetry({ n }))),
  alone('mqtt.js reconnectPeriod', () => 1_000),
  alone('cockatiel', cockatiel),
  smithy('smithy standard', false, Infinity),
  smithy('smithy adaptive', true, Infinity),
  alone('Azure IoT SDK for Node', (context) => azureNode({ ...context, elapsed: 0 })),
  alone('Azure IoT SDK for C#', (context) => azureCsharp({ ...context, elapsed: 0 })),
];

/** What waiting cannot beat: for latency. */
export const immediate = alone('immediate retry', () => 0);
