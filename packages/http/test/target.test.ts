import { attachHttp } from '@faultmap/http';
import type { AxiosInstance } from 'axios';
import { expect, test } from 'vitest';

test.each([undefined, null, {}, 5])('what is no instance of axios is said: %o', (target) => {
  expect(() => attachHttp(target as unknown as AxiosInstance)).toThrow(/^attachHttp: .*an instance of axios/);
});
