export type { MqttAnswer } from './answer.ts';
export { attachMqtt } from './attach.ts';
export { type MqttContext, readMqtt } from './evidence.ts';
export type { MqttHandle } from './handle.ts';
export type { MqttCredentials, MqttOptions } from './options.ts';
export type { MqttRequestOptions, RequestPayload } from './request-options.ts';
