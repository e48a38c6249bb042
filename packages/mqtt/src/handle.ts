import type { FaultEventName, FaultListener } from '@faultmap/core';
import type { MqttAnswer } from './answer.ts';
import type { MqttRequestOptions, RequestPayload } from './request-options.ts';

/** What `attachMqtt` gives. */
export interface MqttHandle {
  /**
   * - `fault`: once for each native failure
   * - `retry`: before each wait
   * - `give-up`: an operation, or the reconnect (`mqtt.connect`), that ends after a fault
   * - `recovered`: a request that succeeds after one; a connection that is good again
   */
  on(name: FaultEventName, listener: FaultListener): void;
  off(name: FaultEventName, listener: FaultListener): void;
  /**
   * Ask over a pair of topics: twin (`$iothub/twin/GET/`, `$iothub/twin/PATCH/properties/reported/`), DPS
   * (`$dps/registrations/PUT/iotdps-register/`, polled until it is assigned), or any other with
   * `options.responseTopic`. The request id in the topic is added here. Waits for a connection where
   * there is none; its deadline covers all of it.
   *
   * @throws a `DeviceCloudError` for a refusal, a lost answer or the deadline; `signal.reason` when
   *   aborted; TypeError for a topic or options that are not what they should be
   */
  request<T = unknown>(topic: string, payload?: RequestPayload, options?: MqttRequestOptions): Promise<MqttAnswer<T>>;
  /** Go on as if nothing had happened: connect again, now, after a `give-up`; refuse no subscription any more. */
  resume(): void;
  /** Take it off: the client is as before. Requests that wait are rejected; publishes stay with mqtt.js. */
  detach(): void;
}
