import type { AnyDeviceCloudError } from '../errors.ts';

/**
 * Say on a refusal that fresh credentials were asked for in vain: what to do about a refusal alone
 * would point at the option that was there, and failed.
 *
 * @param why - the fault of the provider, told besides
 */
export function sayUnrenewed(refusal: AnyDeviceCloudError, { detail, reason }: AnyDeviceCloudError): void {
  const note = `Fresh credentials were asked for and did not come: ${detail ?? reason} (option \`credentials\`; see the \`fault\` of that).`;
  Object.defineProperty(refusal, 'fix', {
    get(this: object) {
      const usual: unknown = Reflect.get(Object.getPrototypeOf(this), 'fix', this);
      return typeof usual === 'string' ? `${note} ${usual}` : note;
    },
    enumerable: false,
    configurable: true,
  });
}
