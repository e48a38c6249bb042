import type { CodeTexts } from './types.ts';

/* What a person wants to read about a code of the Device Provisioning Service; made when first read. */

const PAGE = 'https://learn.microsoft.com/azure/iot-dps/how-to-troubleshoot-dps#common-error-codes';

const SOURCES: Readonly<Record<string, string>> = {
  docs: 'MicrosoftDocs/azure-docs articles/iot-dps/how-to-troubleshoot-dps.md (2022-05-25)',
  scale: 'MicrosoftDocs/azure-docs articles/iot-dps/concepts-deploy-at-scale.md (2025-08-07)',
  limits: 'MicrosoftDocs/azure-docs includes/iot-dps-limits.md',
  mqtt: 'MicrosoftDocs/azure-docs articles/iot/iot-mqtt-connect-to-iot-dps.md',
  csharp: 'Azure/azure-iot-sdk-csharp ProvisioningChannelHandlerAdapter.cs',
  'csharp-e2e': 'Azure/azure-iot-sdk-csharp ProvisioningE2ETests.cs',
};

function texts(summary: string, fix: string, sources: string): CodeTexts {
  const names = sources.split(' ');
  const source = names.map((name) => SOURCES[name] ?? name).join('; ');
  return names.includes('docs') ? { summary, fix, docsUrl: PAGE, source } : { summary, fix, source };
}

let made: Readonly<Record<number, CodeTexts>> | undefined;

/** By code. */
export function dpsTexts(): Readonly<Record<number, CodeTexts>> {
  made ??= make();
  return made;
}

const AGAIN = 'Repeat with backoff of at least 5 seconds: look the registration up first, it may have been accepted.';

function make(): Readonly<Record<number, CodeTexts>> {
  return {
    202: texts(
      'Not an error: the registration is running.',
      "Wait retry-after seconds (2 where none is given), then ask for the operation's status with its id.",
      'mqtt Azure/azure-sdk-for-c#2007',
    ),
    400: texts(
      'The body is malformed or not valid.',
      'Correct the registration id, id scope or attestation it names.',
      'docs',
    ),
    401: texts(
      'The token or certificate does not validate or does not cover this registration.',
      'Repair key, certificate chain or id scope, then register anew. In TPM attestation the first 401 is the challenge: answer it.',
      'docs scale',
    ),
    403: texts(
      'The registration is refused.',
      'Check that the enrolment is enabled, then register anew.',
      'docs scale',
    ),
    404: texts(
      'The provisioning service or the enrolment does not exist.',
      'Check id scope and registration id; create the enrolment, then register anew.',
      'docs',
    ),
    405: texts(
      'The method is not allowed on this path; an id may be missing in it.',
      'Correct the path.',
      'docs MicrosoftDocs/azure-docs#94308',
    ),
    409: texts(
      'The request conflicts with the present state, for instance a second create.',
      'Read, then decide: it may be your own earlier attempt.',
      'docs',
    ),
    412: texts(
      'The ETag does not match, or the same identity registers twice at the same time.',
      'Read again and send the new ETag; let one registration of an id run at a time and look up its status.',
      'docs Azure/azure-iot-sdk-c#2250',
    ),
    415: texts("The payload's format is not supported.", 'Send JSON with its content type.', 'docs'),
    429: texts(
      'The provisioning service throttles: 1,000 operations and registrations a minute, 5 polls in 10 seconds for a device.',
      'Wait as long as retry-after says, add jitter, and register a fleet in batches.',
      'docs scale limits Azure/azure-iot-sdk-c#1703',
    ),
    500: texts('The provisioning service, or the hub behind it, met a fault of its own.', AGAIN, 'docs scale csharp'),
    502: texts('A gateway before the provisioning service got a bad answer.', AGAIN, 'scale csharp'),
    503: texts('The provisioning service cannot serve now.', AGAIN, 'scale csharp'),
    504: texts('A gateway before the provisioning service got no answer in time.', AGAIN, 'scale csharp'),
    400207: texts(
      "The enrolment's custom allocation function answered with an error.",
      'Repair the function by its own log; the text names the status it gave.',
      'Azure/iotedge#3233',
    ),
    400209: texts(
      "The enrolment's custom allocation function answered with an error.",
      'Repair the function by its own log; the text names the status it gave.',
      'Azure/iotedge#6697',
    ),
    401002: texts(
      'Attestation failed: the key, token or certificate does not belong to this registration.',
      'Check key or certificate, that its CA is verified, id scope and registration id. A hub-shaped body means that the linked hub refused the service: a matter for its operator.',
      'microsoft/vscode-iot-workbench#590 Azure/azure-iot-sdk-node#679 Azure/iotedge#6675',
    ),
    404201: texts(
      'There is no enrolment or registration for this id.',
      'Create the enrolment or correct the registration id. On a delete it means that it is gone already.',
      'csharp-e2e MicrosoftDocs/azure-docs#57082',
    ),
    404202: texts(
      'A second not-found case of the provisioning service; which one is documented nowhere.',
      'Check the enrolment group and the registration.',
      'MicrosoftDocs/azure-docs#57082',
    ),
  };
}
