// The cloud of the simulation: so many operations a second, 429 above that, sometimes down.

/**
 * @param engine - the clock
 * @param options.perSecond - capacity
 * @param options.burst - operations let through at once after a pause; default what a second allows (clouds tolerate bursts)
 * @param options.roundTripMs - mean round trip; each way ± 20 %
 * @param options.down - [from, to] in ms: connections fail
 * @param options.fail - share of random 503, before anything is counted
 * @param options.retryAfterMs - hint that every 429 carries
 */
export class Hub {
  sent = 0;
  throttled = 0;
  sentWhileDown = 0;
  done = 0;
  #engine;
  #options;
  #random;
  #tokens;
  #filledAt = 0;

  constructor(engine, options, random) {
    this.#engine = engine;
    this.#options = { burst: options.perSecond, roundTripMs: 50, fail: 0, ...options };
    this.#random = random;
    this.#tokens = this.#options.burst;
  }

  get roundTripMs() {
    return this.#options.roundTripMs;
  }

  /** One request; `answer(outcome, hintMs)` with ok, throttled, failed (503) or down. */
  request(answer, settles) {
    this.sent++;
    this.#engine.after(this.#oneWay(), () => {
      const outcome = this.#serve();
      if (outcome === 'ok') this.done++;
      const hint = outcome === 'throttled' ? this.#options.retryAfterMs : undefined;
      this.#engine.after(this.#oneWay(), () => answer(outcome, hint), settles);
    });
  }

  #oneWay() {
    return (this.#options.roundTripMs / 2) * (0.8 + 0.4 * this.#random());
  }

  #serve() {
    const { now } = this.#engine;
    const { perSecond, burst, down, fail } = this.#options;
    if (down && now >= down[0] && now < down[1]) {
      this.sentWhileDown++;
      return 'down';
    }
    // Something in front of what is counted fails.
    if (fail > 0 && this.#random() < fail) return 'failed';
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) * perSecond) / 1000);
    this.#filledAt = now;
    if (this.#tokens < 1) {
      this.throttled++;
      return 'throttled';
    }
    this.#tokens--;
    return 'ok';
  }
}
