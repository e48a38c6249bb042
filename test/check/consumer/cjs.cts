import core = require('@faultmap/core');
import http = require('@faultmap/http');

export const code: number | undefined = core.lookup(404103)?.code;
export const attach = http.attachHttp;
