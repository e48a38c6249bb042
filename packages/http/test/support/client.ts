import { type AttachHttpOptions, attachHttp } from '@faultmap/http';
import axios, { type AxiosRequestConfig } from 'axios';
import { FAST } from './script.ts';

/** An instance of its own, attached. */
export function client(options: AttachHttpOptions = {}, config: AxiosRequestConfig = {}, library = axios) {
  const instance = library.create(config as object);
  const handle = attachHttp(instance, { retry: FAST, ...options });
  return { instance, handle };
}
