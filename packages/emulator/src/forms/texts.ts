/**
 * Texts of the cloud by number, word for word where a capture is public. The source of each is
 * beside it; numbers without a capture are answered with their documented name.
 */
const TEXTS: Readonly<Record<number, string>> = {
  // azure-iot-sdk-c issue thread on DeviceTwin reported properties; docs "400 bad request"
  400004: 'BadRequest',
  // azure-docs#44709, azure-iot-sdk-node#689: HTTP 400 to the caller of a direct method
  400027: 'BadRequest',
  // azure-iot-sdk-java#180, azure-iot-cli-extension
  401002: 'Unauthorized',
  401003: 'Unauthorized',
  // iot-hub-devguide-quotas-throttling; csharp#906
  403002: 'Total number of messages on IotHub exceeded the allocated quota.',
  // csharp#2116
  403004:
    'C2D messages enqueued for the device exceeded the queue limit of 50,  see more at http://aka.ms/iothub403004',
  // Arduino forum capture of 2025-01-03 (device REST, HTTP 403)
  403006: 'Number of active file upload requests cannot exceed 10',
  // azure-iot-sdk-csharp DeviceNotFoundException captures
  404001: 'NotFound',
  404006: 'The link address did not match any of the expected formats.',
  // azure-iot-cli-extension#54, iotedge#98, csharp#122
  404103: 'Timed out waiting for device to connect.',
  // resource logs only (iot-hub-troubleshoot-connectivity)
  404104: 'DeviceConnectionClosedRemotely',
  // iothub-explorer capture of 2025-07-17: `ErrorCode:DeviceAlreadyExists;Conflict`
  409001: 'Conflict',
  // job client capture; REST page of 2020 has the first part
  412001:
    'The etag in the request does not match the etag of the existing resource, as per RFC7232, please check and try again.',
  412002: 'Lock lost or expired',
  // azure-iot-sdks, docs: the limit is 256 KB
  413001: 'Message size is greater than the max size 262144 bytes allowed.',
  // Iot-Telemetry-Simulator#39
  429001: 'ThrottlingException',
  429003: 'ThrottlingBacklogTimeout: Wait 10 seconds and try again. Operation type: CRUD',
  // csharp capture of 2025-05-05
  500001: 'An internal server error has occurred.',
  503003: 'PartitionNotFound',
  // java#640, sdk-c#717
  504101: 'Timed out waiting for the response from device.',
};

/** The cloud's text for a number; the documented name where no capture shows one. */
export function textOf(code: number, name: string | undefined): string {
  return TEXTS[code] ?? name ?? 'An error occurred';
}
