// Preload (`node -r ./portmap.cjs`): connections to the hub's standard ports go to an emulator on
// free ports instead, while names, connection strings and certificates stay as for Azure. Nothing
// of an SDK is changed; every other connection is left alone.
//
//   FAULTMAP_PORTS='{"443":40001,"8883":40002,"5671":40003}'   where the emulator listens
//   FAULTMAP_HOSTS='my-hub.azure-devices.net,…'                names that mean the emulator
const net = require('node:net');

const ports = JSON.parse(process.env.FAULTMAP_PORTS ?? '{}');
const hosts = new Set((process.env.FAULTMAP_HOSTS ?? '').split(',').filter(Boolean));
const connect = net.Socket.prototype.connect;

net.Socket.prototype.connect = function (...args) {
  // net.connect() hands over its arguments as one array, with the options first.
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  const port = ports[options?.port];
  if (port && hosts.has(options.host)) {
    // A copy: TLS checks the certificate against the name in the original.
    const mapped = { ...options, host: '127.0.0.1', port };
    if (Array.isArray(args[0])) args[0][0] = mapped;
    else args[0] = mapped;
  }
  return connect.apply(this, args);
};
