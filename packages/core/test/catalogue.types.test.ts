import { type Catalogue, type CodeRow, classify, isDeviceCloudError, type KnownReason, lookup } from '@faultmap/core';
import { expect, expectTypeOf, test } from 'vitest';

test('documented names are known to the compiler, others are allowed', () => {
  expectTypeOf<'DeviceNotOnline'>().toExtend<KnownReason>();
  expectTypeOf<'EnrollmentNotFound'>().toExtend<KnownReason>();
  // @ts-expect-error a misspelt name is none of the documented ones
  const misspelt: KnownReason = 'DeviceNotOnLine';
  const error = classify(new Error(misspelt));
  expectTypeOf(error.reason).toExtend<string>();
  // An open set: a name of tomorrow compiles.
  expect(error.reason === 'NameOfTomorrow').toBe(false);
});

test('a switch over the category narrows, and is exhaustive', () => {
  const thrown: unknown = classify({ status: 429, body: '' });
  if (!isDeviceCloudError(thrown)) throw thrown;
  if (thrown.category === 'throttled') expectTypeOf(thrown.name).toEqualTypeOf<'ThrottledError'>();
  // @ts-expect-error no category is called so
  expect(thrown.category === 'throtled').toBe(false);
});

test('a row that lacks a field, or has a wrong one, does not compile', () => {
  const row = {
    code: 700001,
    reason: 'CoolantLow',
    category: 'precondition',
    httpStatus: null,
    transports: ['mqtt'],
    advice: 'never',
    executed: 'no',
    scope: 'device',
  } as const satisfies CodeRow;
  const { advice: _, ...lacking } = row;
  // @ts-expect-error advice is missing
  const rows: CodeRow[] = [lacking];
  // @ts-expect-error `later` is no advice
  rows.push({ ...row, advice: 'later' });
  const catalogue: Catalogue = { name: 'acme', rows: [row] };
  expect(lookup(700001, [catalogue])?.reason).toBe('CoolantLow');
});
