import type { Judgement, SystemFaultRow } from './types.ts';

/*
 * Faults of socket, DNS and TLS, by the code Node gives them (libuv, c-ares, OpenSSL, undici's own
 * for `fetch`). `executed` is what the code alone proves: `no` where no connection was made.
 */

const neverSent = { category: 'network', advice: 'backoff', executed: 'no' } as const;
const dropped = { category: 'network', advice: 'backoff', executed: 'unknown' } as const;
const timeout = { category: 'timeout', advice: 'backoff', executed: 'unknown' } as const;
const tls = { category: 'network', advice: 'never', executed: 'no', tls: true } as const;

/** More than a judgement: what the reconnect policy asks of a fault of the system. */
export interface SystemFault extends SystemFaultRow {
  /** Fails again until somebody changes the configuration, a certificate or the network. */
  readonly permanent?: true;
  /** A fault of TLS. */
  readonly tls?: true;
  /** A certificate's dates: the clock of the device may be what is off. */
  readonly dates?: true;
}

export const systemFaultRows = [
  // Nobody listens there, or there is no way to it.
  {
    codes: ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ENONET', 'EADDRNOTAVAIL'],
    ...neverSent,
  },
  // The name does not resolve. A typing error looks like a network that is not up yet.
  { codes: ['ENOTFOUND', 'ENODATA', 'EAI_NONAME', 'EAI_NODATA'], ...neverSent },
  { codes: ['EAI_AGAIN', 'ETIMEOUT', 'ESERVFAIL', 'EREFUSED', 'EAI_FAIL'], ...neverSent },
  // The connection was there and went.
  {
    codes: [
      'ECONNRESET',
      'EPIPE',
      'ECONNABORTED',
      'ENOTCONN',
      'ESHUTDOWN',
      'ENETRESET',
      'UND_ERR_SOCKET',
      'ERR_STREAM_PREMATURE_CLOSE',
    ],
    ...dropped,
  },
  {
    codes: [
      'ERR_STREAM_DESTROYED',
      'ERR_STREAM_WRITE_AFTER_END',
      'ERR_SOCKET_CLOSED',
      'ERR_HTTP2_SESSION_ERROR',
      'ERR_HTTP2_STREAM_ERROR',
      'ERR_HTTP2_GOAWAY_SESSION',
    ],
    ...dropped,
  },
  {
    codes: [
      'ETIMEDOUT',
      'ESOCKETTIMEDOUT',
      'ERR_SOCKET_CONNECTION_TIMEOUT',
      'UND_ERR_HEADERS_TIMEOUT',
      'UND_ERR_BODY_TIMEOUT',
    ],
    ...timeout,
  },
  { codes: ['UND_ERR_CONNECT_TIMEOUT', 'ERR_TLS_HANDSHAKE_TIMEOUT'], ...timeout, executed: 'no' },
  // This process or machine is out of something; it passes when load does.
  { codes: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EAGAIN', 'EADDRINUSE'], ...neverSent },
  // Not allowed to open the socket: a firewall or the sandbox of the process.
  { codes: ['EACCES', 'EPERM'], ...neverSent, advice: 'never', permanent: true },
  {
    codes: ['EINVAL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT', 'ENAMETOOLONG', 'EBADNAME'],
    ...neverSent,
    advice: 'never',
    permanent: true,
  },

  // Certificates [OpenSSL X509_V_ERR_*], as Node names them.
  { codes: ['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID', 'CRL_HAS_EXPIRED', 'CRL_NOT_YET_VALID'], ...tls, dates: true },
  {
    codes: [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_GET_CRL',
      'UNABLE_TO_DECRYPT_CERT_SIGNATURE',
      'UNABLE_TO_DECRYPT_CRL_SIGNATURE',
      'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY',
      'CERT_SIGNATURE_FAILURE',
      'CRL_SIGNATURE_FAILURE',
      'CERT_CHAIN_TOO_LONG',
      'CERT_REVOKED',
      'CERT_UNTRUSTED',
      'CERT_REJECTED',
      'INVALID_CA',
      'INVALID_PURPOSE',
      'PATH_LENGTH_EXCEEDED',
      'HOSTNAME_MISMATCH',
      'ERROR_IN_CERT_NOT_BEFORE_FIELD',
      'ERROR_IN_CERT_NOT_AFTER_FIELD',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'ERR_TLS_CERT_ALTNAME_FORMAT',
    ],
    ...tls,
    permanent: true,
  },
  // Handshake: versions, ciphers, a client certificate that is missing or refused, or no TLS there at all.
  {
    codes: [
      'EPROTO',
      'ERR_SSL_WRONG_VERSION_NUMBER',
      'ERR_SSL_UNSUPPORTED_PROTOCOL',
      'ERR_SSL_NO_CIPHERS_AVAILABLE',
      'ERR_SSL_PACKET_LENGTH_TOO_LONG',
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
      'ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY',
      'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
      'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN',
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED',
      'ERR_TLS_PROTOCOL_VERSION_CONFLICT',
    ],
    ...tls,
    permanent: true,
  },

  // What came is not HTTP (llhttp, nghttp2): a proxy, a plain port, a broken gateway.
  {
    codes: [
      'HPE_INVALID_CONSTANT',
      'HPE_INVALID_VERSION',
      'HPE_INVALID_STATUS',
      'HPE_INVALID_HEADER_TOKEN',
      'HPE_INVALID_CHUNK_SIZE',
      'HPE_INVALID_CONTENT_LENGTH',
      'HPE_UNEXPECTED_CONTENT_LENGTH',
      'HPE_HEADER_OVERFLOW',
      'HPE_CLOSED_CONNECTION',
      'HPE_INVALID_EOF_STATE',
      'UND_ERR_HTTP_PARSER',
    ],
    category: 'protocol',
    advice: 'never',
    executed: 'unknown',
  },
  // A compressed body that does not unpack: cut off, or not what its header says.
  {
    codes: ['Z_DATA_ERROR', 'Z_BUF_ERROR', 'ERR__ERROR_FORMAT_PADDING_1', 'ERR_BROTLI_DECODER_ERROR_UNREACHABLE'],
    category: 'protocol',
    advice: 'never',
    executed: 'unknown',
  },
] as const satisfies readonly SystemFault[];

/** OpenSSL and llhttp have more codes than the table: by how they begin. */
const beginnings: readonly (readonly [string, SystemFault])[] = [
  ['ERR_SSL_', { codes: [], ...tls, permanent: true }],
  ['ERR_TLS_', { codes: [], ...tls, permanent: true }],
  ['ERR_OSSL_', { codes: [], ...tls, permanent: true }],
  ['HPE_', { codes: [], category: 'protocol', advice: 'never', executed: 'unknown' }],
  ['EAI_', { codes: [], ...neverSent }],
  ['ERR_HTTP2_', { codes: [], ...dropped }],
];

let byCode: ReadonlyMap<string, SystemFault> | undefined;

/**
 * What is known of a code of socket, DNS or TLS as Node gives it (libuv, c-ares, OpenSSL, undici), for
 * instance `ECONNRESET`.
 *
 * @returns `undefined` where it is none
 */
export function systemFault(code: string): SystemFault | undefined {
  byCode ??= new Map(systemFaultRows.flatMap((row: SystemFault) => row.codes.map((name) => [name, row] as const)));
  return byCode.get(code) ?? beginnings.find(([start]) => code.startsWith(start))?.[1];
}

/** Time-outs of a client's own, which have no code. */
export const clientTimeouts = {
  connect: { category: 'timeout', reason: 'ConnectTimeout', advice: 'backoff', executed: 'no' },
  request: { category: 'timeout', reason: 'RequestTimeout', advice: 'backoff', executed: 'unknown' },
  keepalive: { category: 'timeout', reason: 'KeepAliveTimeout', advice: 'backoff', executed: 'unknown' },
  deadline: { category: 'timeout', reason: 'DeadlineExceeded', advice: 'backoff', executed: 'unknown' },
} as const satisfies Record<string, Judgement>;
