import { readAmqp } from '@faultmap/amqp';
import type { ClassifyContext } from '@faultmap/core';
import { readAzureSdk } from '@faultmap/core/azure-sdk';
import { readHttp } from '@faultmap/http';
import { readMqtt } from '@faultmap/mqtt';

/** All shapes we know: those of the three clients, and of the official SDKs. */
export const everyReader: ClassifyContext = { readers: [readHttp, readMqtt, readAmqp, readAzureSdk] };
