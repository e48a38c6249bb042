// Your own service behind the hub has codes too: the same typed errors for them. They are searched
// before those of the hub.
import { type Catalogue, classify } from '@faultmap/core';
import { readHttpAnswer } from '@faultmap/core/adapter';

const plant: Catalogue = {
  name: 'plant-gateway',
  rows: [
    {
      code: 423001,
      reason: 'ValveLocked',
      category: 'conflict',
      httpStatus: 423,
      transports: ['http'],
      advice: 'backoff',
      executed: 'no',
      scope: 'device',
    },
  ],
  texts: { 423001: { summary: 'Somebody works at the valve.', fix: 'Wait until the lock is taken off.' } },
};

const answer = { status: 423, headers: {}, body: '{"errorCode":423001,"message":"locked by shift 2"}' };
const error = classify(readHttpAnswer(answer), { catalogues: [plant] });
console.log(error.message, error.category, error.transient, error.fix);
