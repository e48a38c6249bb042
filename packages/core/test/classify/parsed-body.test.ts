import { classify } from '@faultmap/core';
import { expect, test } from 'vitest';

test.each([{ errorCode: 404103, message: 'm' }, { Message: '{"errorCode":404103,"message":"m"}' }])(
  'a body that was parsed already: %o',
  (body) => {
    expect(classify(body)).toMatchObject({ code: 404103, detail: 'm' });
  },
);
