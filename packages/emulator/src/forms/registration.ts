/**
 * Registration over AMQP: names of the application properties and of the operations, as the
 * official clients write and read them (azure-iot-provisioning-device-amqp amqp.js
 * MessagePropertyNames and DeviceOperations; C# MessageApplicationPropertyNames.cs,
 * DeviceOperations.cs). A failure is a rejected delivery with the service's JSON body for its
 * description (C# ProvisioningTransportHandlerAmqp.cs#L337-L371).
 */
export const REGISTRATION = {
  operationType: 'iotdps-operation-type',
  operationId: 'iotdps-operation-id',
  /** Of an answer's application properties, and of the info of a refusal; C# spells it `Retry-After`. */
  retryAfter: 'retry-after',
} as const;

/** What each operation is called in the log and by faults. */
export const REGISTRATION_OPERATIONS: ReadonlyMap<unknown, 'dps-register' | 'dps-status' | 'dps-lookup'> = new Map([
  ['iotdps-register', 'dps-register'],
  ['iotdps-get-operationstatus', 'dps-status'],
  ['iotdps-get-registration', 'dps-lookup'],
]);
