export { createToken, type TokenSpec } from './auth.ts';
export { Emulator, type EmulatorEvents, type EmulatorUrls } from './emulator.ts';
export type {
  AmqpFault,
  AnswerFault,
  ClockFault,
  CodeFault,
  FaultForm,
  FaultMatch,
  FaultRequest,
  FaultSpec,
  HttpFault,
  InjectedFault,
  MqttFault,
  OutcomeFault,
  UncleanFault,
  UncleanKind,
} from './faults/types.ts';
export type { ActivityLog, LogEntry, LogFilter } from './log.ts';
export type { DeviceSpec, EmulatorOptions, ModuleSpec, Ports } from './options.ts';
export { startEmulator } from './start.ts';
export type { Clock } from './state/clock.ts';
export type { Cloud } from './state/cloud.ts';
export { CloudFault, type FaultName } from './state/fault.ts';
export type { ThrottleOptions } from './state/throttles.ts';
