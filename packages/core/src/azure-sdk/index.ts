// Errors of the official Azure SDKs, read by shape and by what they print.

export { readAzureSdk } from './read.ts';
