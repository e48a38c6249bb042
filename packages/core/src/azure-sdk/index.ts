// Shapes of the official Azure SDKs' errors.
export {};
