import type { DeviceCloudError } from '../error.ts';

/*
 * Layers of retry inside one another: each error that a layer gives up is numbered, so that the
 * layer around it knows whether that happened within its own attempt. An error object that is
 * thrown again later is a new fault.
 */

let count = 0;
const givenUp = new WeakMap<object, number>();

/** Taken when an attempt begins. */
export function mark(): number {
  return count;
}

/** A layer has given up with this error. */
export function giveUp(error: DeviceCloudError): void {
  givenUp.set(error, ++count);
}

/** Did a layer inside give up with this error since `began`? */
export function gaveUpInside(error: DeviceCloudError, began: number): boolean {
  const at = givenUp.get(error);
  // Not known here but concluded: by another copy of the package.
  return at === undefined ? error.stopped !== undefined : at > began;
}
