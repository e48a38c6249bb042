import type { dpsRows } from './dps.ts';
import type { iotHubRows } from './iot-hub.ts';

/** Every documented reason of the built-in catalogues. */
export type KnownReason = (typeof iotHubRows)[number]['reason'] | (typeof dpsRows)[number]['reason'];
