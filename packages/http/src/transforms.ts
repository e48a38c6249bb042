import type { InternalAxiosRequestConfig } from 'axios';

/*
 * What axios comes with, and nothing else, where it transforms requests and answers. Its functions
 * are known by their text, since each copy and build of axios has its own: nobody else's reads the
 * same option.
 */

/** Is it axios that parses the answer, and parses JSON? */
export const parsesItself = onlyThatReads('forcedJSONParsing');

/** Is it axios that makes the body of the request? */
export const makesBodyItself = onlyThatReads('formSerializer');

type Transforms = InternalAxiosRequestConfig['transformRequest'] | InternalAxiosRequestConfig['transformResponse'];

function onlyThatReads(option: string): (given: Transforms) => boolean {
  let last: unknown;
  const known = new WeakMap<object, boolean>();
  const isOwn = (transform: unknown): boolean => {
    if (typeof transform !== 'function') return false;
    const own = known.get(transform) ?? Function.prototype.toString.call(transform).includes(option);
    known.set(transform, own);
    if (own) last = transform;
    return own;
  };
  return (given) => {
    if (!Array.isArray(given) || given.length !== 1) return false;
    // By index: asked for each request, and taking arrays apart goes by their iterator.
    const transform: unknown = given[0];
    return (transform === last && transform !== undefined) || isOwn(transform);
  };
}
