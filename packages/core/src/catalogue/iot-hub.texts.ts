import type { CodeTexts } from './types.ts';

/*
 * What a person wants to read about a code of Azure IoT Hub: summary, fix, page, sources. Kept apart
 * from the rows, and made only when the first text is read.
 */

const PAGE = 'https://learn.microsoft.com/azure/iot-hub/troubleshoot-error-codes';

/** What the short names of sources stand for. */
const SOURCES: Readonly<Record<string, string>> = {
  docs: 'MicrosoftDocs/azure-docs articles/iot-hub/troubleshoot-error-codes.md (2026-01-06)',
  rest: "Azure REST 'Common error codes', a later edition",
  'rest-2020': "Azure REST 'Common error codes' (2020-02-14)",
  logs: 'MicrosoftDocs/azure-docs includes/iot-hub-diagnostics-error-codes.md (2020-04-24)',
  csharp: 'Azure/azure-iot-sdk-csharp ErrorCode.cs',
  'csharp-v2': 'Azure/azure-iot-sdk-csharp IotHubServiceErrorCode.cs (preview branch)',
  java: 'Azure/azure-iot-sdk-java ErrorCodeDescription.java',
};

/** `sources`: short names and issues, separated by blanks; `anchor`: the code's own part of the page. */
function texts(summary: string, fix: string, sources: string, anchor?: string): CodeTexts {
  const names = sources.split(' ');
  const source = names.map((name) => SOURCES[name] ?? name).join('; ');
  if (!names.includes('docs') && anchor === undefined) return { summary, fix, source };
  return { summary, fix, docsUrl: anchor ? `${PAGE}#${anchor}` : PAGE, source };
}

let made: Readonly<Record<number, CodeTexts>> | undefined;

/** By code. */
export function iotHubTexts(): Readonly<Record<number, CodeTexts>> {
  made ??= make();
  return made;
}

function make(): Readonly<Record<number, CodeTexts>> {
  return {
    0: texts(
      "Not a code of the cloud: one SDK's placeholder for a number and a name that do not agree, or for none.",
      'Go by the HTTP status and the name in the header `iothub-errorcode`.',
      'csharp Azure/azure-iot-sdk-csharp#3442 Azure/azure-iot-sdk-csharp#2455',
    ),
    400: texts(
      'The request is malformed.',
      'Correct the request; a six-digit code or a name elsewhere in the answer says more.',
      'java',
    ),
    401: texts(
      'The request is not authenticated.',
      'Renew the credentials, then try once; a six-digit code or a name elsewhere in the answer says more.',
      'java',
    ),
    403: texts(
      'The request is refused.',
      'Check permissions and quotas; some SDKs call every 403 a quota or too many devices, so look for a code or a name.',
      'java',
    ),
    404: texts(
      'The resource does not exist.',
      'Check the id and the hub; a six-digit code or a name elsewhere in the answer says more.',
      'java',
    ),
    409: texts('The request conflicts with the present state.', 'Read the resource, then decide.', 'java'),
    412: texts(
      'A condition of the request does not hold.',
      'Read the resource again, merge, and send with its new ETag.',
      'java',
    ),
    413: texts('The request is too large.', 'Make it smaller or split it.', 'java'),
    429: texts(
      'Requests come faster than the hub allows.',
      'Slow down: repeat after a longer backoff with jitter, and lower the rate.',
      'java',
    ),
    500: texts(
      'The cloud met a fault of its own.',
      "Repeat with backoff if the operation is idempotent; check the service's health if it stays.",
      'java',
    ),
    503: texts(
      'The cloud cannot serve the request now.',
      'Repeat with backoff if the operation is idempotent.',
      'java',
    ),
    400000: texts(
      'Catch-all for a malformed or unacceptable request with no more specific number.',
      'Validate the request against the API.',
      'docs',
    ),
    400001: texts(
      'The API/protocol version asked for is not supported by the hub endpoint.',
      'Use a supported api-version or an older SDK; move to a region that has the version.',
      'docs csharp csharp-v2 java',
    ),
    400002: texts(
      'The device returned a number of results the hub did not accept.',
      "Correct the device's result.",
      'docs csharp',
    ),
    400003: texts(
      'The hub recognises the request but does not permit it in this form or state.',
      'Read the message text; correct addressing or call order.',
      'docs csharp csharp-v2 java',
    ),
    400004: texts(
      'The request body or an argument is not valid or cannot be parsed.',
      "Correct the field the text names (often a twin property's name or a value) and send again.",
      'docs rest-2020 csharp csharp-v2 java',
    ),
    400005: texts('A required argument is missing or null.', 'Send the field.', 'docs csharp csharp-v2 java'),
    400006: texts(
      'A JSON document in the request cannot be parsed by the hub.',
      'Send well-formed JSON.',
      'docs csharp csharp-v2 java',
    ),
    400007: texts(
      'The hub could not serialise or deserialise a stored device entity.',
      'Check the imported data.',
      'docs csharp',
    ),
    400008: texts(
      'The blob container given (import/export, upload) is not usable.',
      'Correct the container URI and rights.',
      'docs csharp',
    ),
    400009: texts('An import still has warnings outstanding.', 'Review and clear the warnings.', 'docs csharp'),
    400010: texts(
      'The schema version named in the request is not accepted.',
      'Use a supported schema version.',
      'docs csharp',
    ),
    400011: texts(
      'The same device id occurs more than once in one bulk registry request.',
      'De-duplicate the batch.',
      'docs csharp csharp-v2 java Azure/azure-iot-sdk-csharp#3481',
    ),
    400012: texts('The hub could not deserialise the request.', 'Correct payload and content headers.', 'docs csharp'),
    400013: texts(
      'A bulk registry operation failed, in whole or for some entries.',
      'Read the per-entry errors in the result and send only those entries again.',
      'docs csharp csharp-v2 java',
    ),
    400014: texts(
      'File upload was requested but the hub has no storage account configured.',
      'Configure a storage endpoint on the hub.',
      'docs',
    ),
    400015: texts(
      'The correlation id in a file-upload completion is not known.',
      'Use the id returned when the upload was started.',
      'docs',
    ),
    400016: texts('The file-upload correlation id is too old.', 'Start a new upload.', 'docs'),
    400017: texts('The storage endpoint named is not valid.', 'Correct the storage endpoint.', 'docs'),
    400018: texts('The messaging endpoint named is not valid.', 'Correct the messaging endpoint.', 'docs'),
    400019: texts(
      'The completion report of a file upload carries an invalid status.',
      'Send a valid completion report.',
      'docs',
    ),
    400020: texts(
      'While making the blob for an upload, the storage account refused the hub.',
      "Repair the storage account's key, role, container or firewall. One preview SDK calls this number IotHubSuspended.",
      'docs csharp-v2',
    ),
    400021: texts(
      'The cloud cancelled the request before it finished.',
      'Repeat it if it is idempotent; whether it took effect is not known.',
      'docs',
    ),
    400022: texts('A property of the storage endpoint is not valid.', "Correct the endpoint's properties.", 'docs'),
    400023: texts(
      "The ETag sent is not the resource's current one.",
      'Read the resource again, merge, and send with its new ETag.',
      'docs',
    ),
    400024: texts(
      'The hub gave up on the request after its time limit.',
      'Repeat it if it is idempotent, or ask for less at once; it may have taken effect.',
      'docs',
    ),
    400025: texts(
      'The operation is not available on the replica that received it.',
      'Address the primary hub.',
      'docs',
    ),
    400026: texts('An empty (null) message was supplied.', 'Send a message body.', 'docs'),
    400027: texts(
      'A newer connection with the same device identity took over, so the hub closed this one; calls waiting on it fail.',
      'Give every client its own identity and keep one connection per identity. Do not answer by reconnecting at once: two owners evict each other for ever. Look for cloned images and doubled processes.',
      'docs rest-2020 MicrosoftDocs/azure-docs#44709 Azure/azure-iot-sdk-node#689',
      '400xxx-bad-request-errors',
    ),
    400028: texts('The device scope (edge parent/child) given is not valid.', 'Correct the scope.', 'docs'),
    400029: texts(
      'The hub closed the connection for its own upgrade work.',
      'Reconnect: an immediate attempt is expected to succeed. What was in flight is in doubt.',
      'docs',
    ),
    400030: texts(
      'The hub refuses new connections during its own upgrade work.',
      'Reconnect with backoff and jitter; immediate attempts are refused as well.',
      'docs',
    ),
    400031: texts(
      'The authentication type set on an endpoint is not valid.',
      'Choose a supported authentication type.',
      'docs',
    ),
    400032: texts(
      'The operation needs a managed identity and the hub has none enabled.',
      'Enable the managed identity.',
      'docs',
    ),
    400033: texts(
      'The blob container (or its account) used by the hub is disabled.',
      'Re-enable the container.',
      'logs',
    ),
    400035: texts('The key of a shared access policy is not valid.', 'Supply a valid policy key.', 'docs'),
    400036: texts(
      'Bulk regeneration of device keys failed; some devices may have new keys already.',
      'Read the per-device results and the keys before repeating.',
      'docs',
    ),
    400100: texts('The input given to the route test API is not valid.', 'Correct the test message.', 'docs'),
    400101: texts('A route names a source that is not allowed.', "Correct the route's source.", 'docs'),
    400102: texts('Message routing is not enabled on this hub.', 'Enable routing.', 'docs'),
    400103: texts(
      'The content type or encoding of a message does not suit message routing.',
      'Set contentType to application/json and contentEncoding to utf-8 among the system properties.',
      'docs rest logs',
    ),
    400301: texts(
      'A module may not be registered below another module.',
      'Register the module on a device.',
      'docs csharp',
    ),
    400302: texts('Tenant-hub routing is not enabled.', 'Enable it.', 'docs'),
    400401: texts('The target condition of a configuration/deployment is not valid.', 'Correct the condition.', 'docs'),
    400402: texts('The content of a configuration/deployment is not valid.', 'Correct the content.', 'docs'),
    400403: texts('The content of an existing configuration cannot be changed.', 'Create a new configuration.', 'docs'),
    400404: texts('A custom-metric query of a configuration is not valid.', 'Correct the query.', 'docs'),
    400501: texts('A Plug-and-Play interface definition is not valid.', 'Correct the definition.', 'docs'),
    400502: texts('Desired properties do not fit the Plug-and-Play model.', 'Correct the properties.', 'docs'),
    400503: texts('Reported properties do not fit the Plug-and-Play model.', 'Correct the properties.', 'docs'),
    400504: texts('Acknowledgement-style reported properties are not valid.', 'Correct the properties.', 'docs'),
    400505: texts('The JSON patch for a digital twin is not valid.', 'Correct the patch.', 'docs'),
    400506: texts('The payload for a digital twin is not valid.', 'Correct the payload.', 'docs'),
    400507: texts('The digital-twin patch is not valid.', 'Correct the patch.', 'docs'),
    400508: texts('A path in the digital-twin patch is not valid.', 'Correct the path.', 'docs'),
    401000: texts(
      'The request is not authorised.',
      'Check the credentials, and the id scope where the provisioning service answered.',
      'docs',
    ),
    401001: texts(
      'The hub named in the request was not found.',
      'Check the host name; if it is right, the fault is internal: try again later.',
      'docs csharp',
    ),
    401002: texts(
      'The credentials were refused: the token, key, policy or certificate does not validate or does not cover this operation.',
      'Make a fresh token with the right key and policy; check that the clock is within five minutes and that the device is in this hub. One more try with fresh credentials, none with the same.',
      'docs csharp csharp-v2 java helium/console#1039 Azure/azure-iot-sdk-csharp#1070 Azure/iotedgehubdev#95 rest logs',
      '401003-iothubunauthorized-error',
    ),
    401003: texts(
      'Authentication failed. This is the number of logs and documentation; answers carry 401002 for the same.',
      'Renew the token or certificate ahead of its expiry, keep the clock in step, and check policy or role. In an MQTT log, 401003, 404104 and a new connection is a normal token renewal.',
      'docs rest-2020 csharp',
      '401003-iothubunauthorized-error',
    ),
    401004: texts('The elastic pool named was not found.', "Check the pool's name and region.", 'docs'),
    401100: texts('A system module may not be changed by this caller.', 'Use an identity that may change it.', 'docs'),
    403000: texts('Catch-all for a refused request.', 'Check permissions.', 'docs'),
    403001: texts(
      'The hub is suspended: the subscription is disabled or its spending limit reached.',
      'Restore the subscription. One preview SDK calls this number JobQuotaExceeded (403003).',
      'docs csharp csharp-v2',
    ),
    403002: texts(
      "The hub's daily message quota is used up.",
      'Wait for the next UTC midnight, or add units or a larger tier. Seconds of backoff do not help.',
      'docs rest-2020 csharp csharp-v2 java Azure/azure-iot-sdk-csharp#2455 Azure/azure-iot-sdk-csharp#906 Azure/azure-iot-sdk-csharp#1240 Azure/azure-iot-sdk-python#735',
      '403002-iothubquotaexceeded-error',
    ),
    403003: texts(
      'As many jobs run as the hub allows.',
      'Wait for the running import, export or scheduled job to end, or cancel it.',
      'docs csharp',
    ),
    403004: texts(
      "The device's queue of cloud-to-device messages is full (50).",
      "Let the device receive and settle messages, purge the queue, or shorten the messages' time to live. The refused message was not queued.",
      'docs rest-2020 csharp csharp-v2 java Azure/azure-iot-sdk-csharp#2116',
      '403004-devicemaximumqueuedepthexceeded-error',
    ),
    403005: texts(
      'Too many tokens are held on one AMQP connection.',
      'Spread the devices over more connections.',
      'docs csharp',
    ),
    403006: texts(
      'The device has as many file uploads open as are allowed (10).',
      "Report each upload's completion promptly, or shorten the time its SAS lives.",
      'docs rest-2020',
      '403006-devicemaximumactivefileuploadlimitexceeded-error',
    ),
    403007: texts(
      "The device's queue is over its limit of bytes.",
      'Let the device receive, purge the queue, or send smaller messages.',
      'docs',
    ),
    403008: texts('A routing endpoint refused the hub.', "Repair the endpoint's permissions.", 'docs'),
    403009: texts('The expiry time of a message is not acceptable.', 'Set a valid absolute expiry.', 'docs'),
    403010: texts(
      "The hub's tier does not offer this operation, for instance cloud-to-device messages or twins on Basic.",
      'Upgrade the hub to a Standard tier.',
      'docs rest',
    ),
    403011: texts('The customer-managed encryption key was revoked.', 'Restore the key.', 'docs'),
    403012: texts(
      'The device identity is disabled.',
      'Enable the identity. On connecting over MQTT a disabled device sees only "server unavailable".',
      'docs',
    ),
    403100: texts('A device model has too many properties.', 'Reduce the model.', 'docs'),
    403101: texts('A device model has too many indexable properties.', 'Reduce the model.', 'docs'),
    403800: texts(
      'Too many direct methods wait for this device.',
      'Have fewer calls open at once and wait for answers.',
      'docs',
    ),
    404000: texts('Catch-all for a missing resource.', 'Check the id and that it is in this hub.', 'docs'),
    404001: texts(
      'The device is not registered in this hub (or is disabled).',
      'Check the device id and the hub; register or enable the device, or run provisioning again. One edition of the documentation prints 404104 for it.',
      'docs rest-2020 csharp csharp-v2 java Azure/azure-iot-sdk-csharp#317 rest',
      '404001-devicenotfound-error',
    ),
    404002: texts('The job id is unknown.', 'Check the job id.', 'docs csharp csharp-v2'),
    404004: texts('A quota metric is unknown.', 'Check the id and that it is in this hub.', 'docs'),
    404005: texts('A system property is unknown.', 'Check the id and that it is in this hub.', 'docs'),
    404006: texts('The AMQP address of a link does not exist.', "Correct the link's address.", 'docs'),
    404007: texts('A routing endpoint answered not found.', 'Recreate or correct the endpoint.', 'docs'),
    404008: texts('A certificate is unknown.', 'Check the id and that it is in this hub.', 'docs'),
    404009: texts('An elastic-pool tenant hub is unknown.', 'Check the id and that it is in this hub.', 'docs'),
    404010: texts(
      'The module identity is not registered (or disabled).',
      'Register the module.',
      'docs csharp csharp-v2 java',
    ),
    404011: texts('A table store is missing.', 'Check the id and that it is in this hub.', 'docs'),
    404012: texts(
      'The hub is failing over to its paired region.',
      'Try again later and let the name resolve anew.',
      'docs',
    ),
    404013: texts('The feature is not supported here.', "Check the feature's documentation.", 'docs'),
    404014: texts('A digital-twin interface is unknown.', 'Check the id and that it is in this hub.', 'docs'),
    404015: texts('The blob container used by the hub does not exist.', 'Create the container.', 'logs'),
    404101: texts(
      'A cluster of the query store was not found; the fault is internal.',
      'Try again later; report it if it stays.',
      'docs',
    ),
    404103: texts(
      'The target device is not connected, or has not registered the method.',
      'Have the device connect and register its handler before the call, or give it time with connectTimeoutInSeconds. Where it "timed out waiting for device to connect" nothing was delivered.',
      'docs rest-2020 csharp csharp-v2 java Azure/azure-iot-sdk-csharp#37 Azure/azure-iot-sdk-csharp#122 Azure/azure-iot-sdk-csharp#317 Azure/azure-iot-sdk-csharp#3442 Azure/azure-iot-cli-extension#54 Azure/iotedge#98',
      '404103-devicenotonline-error',
    ),
    404104: texts(
      "A connection ended from the device's side as the hub sees it: no clean disconnect, an idle time-out or a reset.",
      'Reconnect with backoff and jitter; renew tokens before they expire and check the network. It says nothing of what was in flight.',
      'docs rest-2020',
      '404104-deviceconnectionclosedremotely-error',
    ),
    404301: texts('A configuration/deployment is unknown.', 'Check the id and that it is in this hub.', 'docs'),
    404302: texts('A device group is unknown.', 'Check the id and that it is in this hub.', 'docs'),
    404401: texts('A digital-twin model is unknown.', 'Check the id and that it is in this hub.', 'docs'),
    404402: texts('An interface-name model is unknown.', 'Check the id and that it is in this hub.', 'docs'),
    405000: texts('Catch-all: this method is not allowed on the resource.', 'Use the allowed verb.', 'docs'),
    405102: texts("Not allowed in the resource's present state.", 'Check state or feature.', 'docs'),
    405103: texts('Device import is not supported here.', 'Check state or feature.', 'docs'),
    405104: texts('Bulk add of devices is not supported here.', 'Check state or feature.', 'docs'),
    409000: texts('Catch-all conflict.', 'Read the resource, then decide; it may be your own earlier attempt.', 'docs'),
    409001: texts(
      'A device with this id exists already.',
      'Use another id, or take it as success if the identity is the wanted one: it may be your own earlier attempt.',
      'docs rest-2020 csharp csharp-v2 java Azure/azure-iot-sdks#711',
      '409001-devicealreadyexists-error',
    ),
    409002: texts(
      'A second connection or link for the same device appeared, and the hub closed the earlier one.',
      'Find the disconnect that came first. Open a new link only after the old one is gone; if it repeats, two owners share the identity.',
      'docs rest-2020',
      '409002-linkcreationconflict-error',
    ),
    409003: texts(
      'Conflicting callback subscriptions.',
      'Read the resource, then decide; it may be your own earlier attempt.',
      'docs',
    ),
    409101: texts(
      'The model exists already.',
      'Read the resource, then decide: use another id, or wait for the other operation.',
      'docs',
    ),
    409102: texts(
      'The device is locked by another operation.',
      'Read the resource, then decide: use another id, or wait for the other operation.',
      'docs',
    ),
    409103: texts(
      'A job for the device exists already.',
      'Read the resource, then decide: use another id, or wait for the other operation.',
      'docs',
    ),
    409104: texts(
      'A job with this id exists already.',
      'Read the resource, then decide: use another id, or wait for the other operation.',
      'docs',
    ),
    409301: texts(
      'The device has a module with this id already.',
      'Use another id or the existing module; it may be your own earlier attempt.',
      'docs csharp csharp-v2 java',
    ),
    409401: texts(
      'The configuration id is taken.',
      'Read the resource, then decide: use another id, or wait for the other operation.',
      'docs',
    ),
    409402: texts(
      'A configuration is already being applied to the device.',
      'Read the resource, then decide: use another id, or wait for the other operation.',
      'docs',
    ),
    409501: texts(
      'The digital-twin model exists already.',
      'Read the resource, then decide: use another id, or wait for the other operation.',
      'docs',
    ),
    409502: texts(
      'The model exists with another type.',
      'Read the resource, then decide: use another id, or wait for the other operation.',
      'docs',
    ),
    409503: texts(
      'The interface-name model exists already.',
      'Read the resource, then decide: use another id, or wait for the other operation.',
      'docs',
    ),
    412000: texts('Catch-all precondition failure.', 'Re-read the resource.', 'docs'),
    412001: texts(
      'The If-Match or ETag condition did not hold.',
      'Read the resource again, merge, and send with its new ETag. After a lost answer it may be your own earlier write that won.',
      'docs rest-2020 csharp csharp-v2 java Azure/azure-iot-sdk-csharp#1680',
    ),
    412002: texts(
      'A cloud-to-device message was settled after its lock had run out (one minute) or on a newer link.',
      "Do not settle again: the message is delivered once more, so make handling it idempotent and settle within the lock's time.",
      'docs rest-2020 csharp',
      '412002-devicemessagelocklost-error',
    ),
    412003: texts('A job could not run because its precondition does not hold.', "Check the job's state.", 'docs'),
    412004: texts('The link still has messages in flight.', 'Settle them first.', 'docs'),
    413000: texts('Catch-all: the request is too large.', 'Make it smaller.', 'docs'),
    413001: texts(
      'The message is larger than allowed: 256 KB to the cloud, 64 KB to a device.',
      'Shrink or split it, or use file upload.',
      'docs csharp csharp-v2 java rest logs',
    ),
    413002: texts(
      'A bulk request holds too many devices.',
      'Send smaller batches (of 100).',
      'docs csharp csharp-v2 java',
    ),
    413003: texts('The device has too many modules.', 'Remove modules.', 'docs csharp csharp-v2'),
    413101: texts('Too many configurations.', 'Delete some.', 'docs'),
    413201: texts('Too many digital-twin models.', 'Delete some.', 'docs'),
    413202: texts('Too many interface-name models.', 'Delete some.', 'docs'),
    415000: texts('The media type is not supported.', 'Set the right Content-Type.', 'docs'),
    415101: texts('The data type does not fit.', 'Correct the type.', 'docs'),
    429000: texts(
      'Requests come faster than the hub allows.',
      'Slow down: repeat after a longer backoff with jitter, and lower the rate.',
      'docs csharp',
      '429xxx-throttling-exception-errors',
    ),
    429001: texts(
      "The operation's rate limit has been exceeded for too long.",
      'Slow down: repeat after a longer backoff with jitter, spread or batch the load, or add units.',
      'docs rest-2020 csharp csharp-v2 java Azure/iotedge#2858 Azure/iotedge#2981',
      '429xxx-throttling-exception-errors',
    ),
    429002: texts(
      "The hub's backlog of delayed requests is itself full.",
      'Slow down, more than for 429001, and lower the rate.',
      'docs csharp java MicrosoftDocs/azure-docs#107838',
      '429xxx-throttling-exception-errors',
    ),
    429003: texts(
      "A delayed request waited too long in the hub's backlog and was dropped.",
      'Wait as long as the text says, if it does, then slow down. An older SDK calls this number InvalidThrottleParameter.',
      'docs csharp csharp-v2 Azure-Samples/Iot-Telemetry-Simulator#39 Azure/azure-iot-sdk-csharp#1189 Azure/azure-iot-sdk-csharp#2078',
      '429xxx-throttling-exception-errors',
    ),
    429004: texts(
      'As many jobs are active as the hub allows.',
      'Wait for a job to end before starting another.',
      'docs csharp',
      '429xxx-throttling-exception-errors',
    ),
    429005: texts(
      'One device exceeds its own rate.',
      'Slow that device down; others are not concerned.',
      'docs csharp',
      '429xxx-throttling-exception-errors',
    ),
    499000: texts(
      'The caller went away before the answer.',
      "Give the client a longer time-out than the operation's; the cloud may have finished the work.",
      'docs',
    ),
    500000: texts(
      'The cloud met a fault of its own.',
      "Repeat with backoff if the operation is idempotent; check the service's health if it stays.",
      'logs',
    ),
    500001: texts(
      'The hub met a fault of its own.',
      'Repeat with backoff if the operation is idempotent. If it stays: resource health, manual failover, support.',
      'docs rest-2020 csharp csharp-v2 java rest logs',
      '500xxx-internal-server-errors',
    ),
    500002: texts('A job was cancelled; parts of it may have run.', 'Start it again if it is still wanted.', 'csharp'),
    500007: texts(
      'The storage behind the hub did not answer in time.',
      'Repeat with backoff; check the storage account if it stays.',
      'logs',
    ),
    500008: texts(
      'The hub could not finish accepting a connection in time; nothing had run.',
      'Reconnect with backoff and jitter.',
      'docs rest-2020',
      '500xxx-internal-server-errors',
    ),
    500009: texts(
      "The hub's throttling met a fault of its own.",
      'Repeat with backoff.',
      'csharp Azure/azure-iot-sdk-csharp#2078',
    ),
    500301: texts(
      'The model-repository endpoint is not usable.',
      'Repeat with backoff if the operation is idempotent; check what the name points at if it stays.',
      'docs rest-2020',
    ),
    500302: texts(
      'A model could not be resolved.',
      'Repeat with backoff if the operation is idempotent; check what the name points at if it stays.',
      'docs rest-2020',
    ),
    500401: texts(
      'The hub could not fetch the credentials of its managed identity.',
      'Check the identity and its roles, then repeat with backoff.',
      'docs rest-2020',
    ),
    500402: texts(
      'Tenant information could not be fetched.',
      'Repeat with backoff if the operation is idempotent; check what the name points at if it stays.',
      'docs rest-2020',
    ),
    500403: texts(
      'The identity could not be shared.',
      'Repeat with backoff if the operation is idempotent; check what the name points at if it stays.',
      'docs rest-2020',
    ),
    500501: texts(
      'Plug-and-Play discovery information could not be expanded.',
      'Repeat with backoff if the operation is idempotent; check what the name points at if it stays.',
      'docs rest-2020',
    ),
    500502: texts(
      'Plug-and-Play component information could not be expanded.',
      'Repeat with backoff if the operation is idempotent; check what the name points at if it stays.',
      'docs rest-2020',
    ),
    500503: texts(
      'Component information could not be compressed.',
      'Repeat with backoff if the operation is idempotent; check what the name points at if it stays.',
      'docs rest-2020',
    ),
    500504: texts(
      'Discovery information could not be compressed.',
      'Repeat with backoff if the operation is idempotent; check what the name points at if it stays.',
      'docs rest-2020',
    ),
    500505: texts(
      'A discovery document has no owner.',
      'Repeat with backoff if the operation is idempotent; check what the name points at if it stays.',
      'docs rest-2020',
    ),
    502000: texts(
      'A gateway inside the service got a bad answer.',
      'Repeat with backoff if the operation is idempotent; it may have taken effect.',
      'docs',
    ),
    503000: texts('The service is not available now.', 'Repeat with backoff if the operation is idempotent.', 'docs'),
    503001: texts(
      'The hub cannot process the request now: overload or maintenance.',
      'Repeat with backoff if the operation is idempotent.',
      'docs csharp csharp-v2 java',
    ),
    503003: texts(
      'An internal partition could not be found, for instance while it moves.',
      'Repeat with backoff. Newer documentation does not list it any more.',
      'rest-2020 csharp',
      '503xxx-service-unavailable-related-errors',
    ),
    503004: texts('The hub could not be activated.', "Check the hub's state, then repeat with backoff.", 'docs'),
    503005: texts('The server is busy.', 'Repeat after a longer backoff with jitter.', 'docs'),
    503006: texts('The hub is being restored.', 'Repeat with backoff.', 'docs'),
    503008: texts(
      'Too many receive links are being opened, for instance by a wave of reconnects: throttling that wears a 503.',
      'Spread the opening of links and repeat with jitter.',
      'docs rest logs',
    ),
    503101: texts('The connection needed is not available.', 'Check the connection, then repeat with backoff.', 'docs'),
    503102: texts(
      'The device is not available; it may just have gone away.',
      'Repeat with backoff; check the device if it stays.',
      'docs',
    ),
    503201: texts('The configuration is not available.', 'Repeat with backoff if the operation is idempotent.', 'docs'),
    503202: texts('The group is not available.', 'Repeat with backoff if the operation is idempotent.', 'docs'),
    503301: texts(
      'A Plug-and-Play hosting service is not available.',
      'Repeat with backoff if the operation is idempotent.',
      'docs',
    ),
    504000: texts(
      'A gateway inside the service got no answer in time.',
      'Repeat only what is idempotent: the operation may have taken effect.',
      'docs',
    ),
    504101: texts(
      'The device did not answer a direct method in time; the method may have run.',
      "Repeat only what is idempotent, or find out first. Answer methods at once and work later, or raise responseTimeoutInSeconds; the client's own time-out must be longer than both of the call's together.",
      'docs rest-2020 Azure/azure-iot-sdk-java#640 Azure/azure-iot-sdk-c#717 MicrosoftDocs/azure-docs#6331 Azure/azure-iot-sdk-csharp#1139',
      '504101-gatewaytimeout-error',
    ),
  };
}
