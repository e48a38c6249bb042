import type { Judgement } from '../catalogue/types.ts';

/*
 * What words alone let conclude, when nothing stronger is there. The first phrase that is met
 * wins, so the exact ones come first. Every expression is linear: alternatives of plain words,
 * gaps with a bound.
 */

const conclusions = {
  offline: { category: 'offline', reason: 'DeviceNotOnline', advice: 'never', executed: 'no', candidates: [404103] },
  gone: {
    category: 'offline',
    reason: 'DeviceUnavailable',
    advice: 'backoff',
    executed: 'unknown',
    candidates: [404103, 404104],
  },
  takeOver: {
    category: 'conflict',
    reason: 'TakenOver',
    advice: 'never',
    executed: 'unknown',
    candidates: [400027, 409002],
  },
  deviceExists: {
    category: 'conflict',
    reason: 'DeviceAlreadyExists',
    advice: 'never',
    executed: 'unknown',
    candidates: [409001],
  },
  moduleExists: {
    category: 'conflict',
    reason: 'ModuleAlreadyExistsOnDevice',
    advice: 'never',
    executed: 'unknown',
    candidates: [409301],
  },
  conflict: { category: 'conflict', reason: 'Conflict', advice: 'never', executed: 'unknown' },
  queueFull: {
    category: 'quota',
    reason: 'DeviceMaximumQueueDepthExceeded',
    advice: 'never',
    executed: 'no',
    candidates: [403004],
  },
  uploads: {
    category: 'quota',
    reason: 'DeviceMaximumActiveFileUploadLimitExceeded',
    advice: 'never',
    executed: 'no',
    candidates: [403006],
  },
  jobQuota: {
    category: 'quota',
    reason: 'JobQuotaExceeded',
    advice: 'never',
    executed: 'no',
    candidates: [403003, 403001],
  },
  hubQuota: {
    category: 'quota',
    reason: 'IotHubQuotaExceeded',
    advice: 'at-reset',
    executed: 'no',
    candidates: [403002],
  },
  quota: { category: 'quota', reason: 'QuotaExceeded', advice: 'at-reset', executed: 'no', candidates: [403002] },
  tooMany: {
    category: 'quota',
    reason: 'TooMany',
    advice: 'never',
    executed: 'no',
    candidates: [403002, 403004, 403006],
  },
  throttled: { category: 'throttled', reason: 'Throttled', advice: 'throttled', executed: 'no' },
  tooLarge: {
    category: 'bad-request',
    reason: 'MessageTooLarge',
    advice: 'never',
    executed: 'no',
    candidates: [413001],
  },
  lockLost: {
    category: 'precondition',
    reason: 'DeviceMessageLockLost',
    advice: 'never',
    executed: 'yes',
    candidates: [412002],
  },
  precondition: {
    category: 'precondition',
    reason: 'PreconditionFailed',
    advice: 'never',
    executed: 'no',
    candidates: [412001],
  },
  disabled: { category: 'unauthorized', reason: 'Disabled', advice: 'never', executed: 'no' },
  unauthorized: { category: 'unauthorized', reason: 'Unauthorized', advice: 'renew-credentials', executed: 'no' },
  forbidden: { category: 'unauthorized', reason: 'Forbidden', advice: 'never', executed: 'no' },
  notFound: { category: 'not-found', reason: 'NotFound', advice: 'never', executed: 'no' },
  tls: { category: 'network', reason: 'TlsFailure', advice: 'never', executed: 'no' },
  unresolved: { category: 'network', reason: 'NameNotResolved', advice: 'backoff', executed: 'no' },
  notConnected: { category: 'network', reason: 'NotConnected', advice: 'backoff', executed: 'no' },
  connectionLost: { category: 'network', reason: 'ConnectionLost', advice: 'backoff', executed: 'unknown' },
  connectTimeout: { category: 'timeout', reason: 'ConnectTimeout', advice: 'backoff', executed: 'no' },
  timeout: { category: 'timeout', reason: 'TimedOut', advice: 'backoff', executed: 'unknown' },
  cancelled: { category: 'cancelled', reason: 'Cancelled', advice: 'backoff', executed: 'unknown' },
  server: { category: 'server', reason: 'ServerError', advice: 'backoff', executed: 'unknown' },
  unavailable: { category: 'server', reason: 'ServiceUnavailable', advice: 'backoff', executed: 'no' },
  protocol: { category: 'protocol', reason: 'ProtocolViolation', advice: 'never', executed: 'unknown' },
  version: { category: 'protocol', reason: 'UnacceptableProtocolVersion', advice: 'never', executed: 'no' },
  badRequest: { category: 'bad-request', reason: 'BadRequest', advice: 'never', executed: 'no' },
} as const satisfies Record<string, Judgement>;

/** A conclusion from words. */
export type ProseConclusion = keyof typeof conclusions;

const phrases: readonly (readonly [ProseConclusion, RegExp])[] = [
  // IoT Hub's own texts
  [
    'offline',
    /timed out waiting for device to connect|device (?:is )?(?:not online|offline)|device isn['’]t online|device not online/,
  ],
  ['gone', /\bdevice unavailable\b/],
  [
    'timeout',
    /timed out waiting for (?:the )?response from (?:the )?device|inactive for more than|no ping ?resp|pingresp not received|keep-?alive time-?out/,
  ],
  [
    'takeOver',
    /another (?:amqp |mqtt )?client (?:has |is )?(?:opened|connected|using)|closed on new connection|connection for the same device|session (?:was )?take(?:n )?over|already connected, closing old|by another connection|(?:higher |non-)epoch/,
  ],
  ['queueFull', /queue depth cannot exceed|exceeded the queue limit|queue (?:is )?full/],
  ['uploads', /active file uploads?\b/],
  ['jobQuota', /job ?quota ?(?:has been |was |is )?exceeded/],
  ['hubQuota', /total number of messages .{0,60}exceeded|exceeded the allocated quota|iothubquotaexceeded/],
  [
    'quota',
    /quota ?(?:has been |is |was )?(?:exceeded|reached|used up|exhausted)|exceeded .{0,40}quota|(?:message|daily) quota\b|total (?:number of )?messages? .{0,60}exceeded/,
  ],
  ['tooMany', /too ?many ?devices/],
  [
    'throttled',
    /throttl(?:ed|ing)\b|too ?many ?requests|rate limit|rate exceeded|request rate is (?:too )?(?:large|high)/,
  ],
  [
    'tooLarge',
    /greater than the max(?:imum)? (?:message )?size|(?:message|payload|body|packet|entity) ?(?:is )?too ?large|exceeds? the max(?:imum)?(?: allowed)? (?:message )?size|exceeds? (?:the )?(?:\d{1,7} ?[km]?i?b(?:ytes)? |size )limit/,
  ],
  ['lockLost', /(?:message )?lock (?:was |is |has been |has )?(?:lost|expired)|lock ?lost\b/],
  ['precondition', /\betag\b.{0,80}(?:not match|mismatch)|precondition ?failed/],

  // CONNACK, in the words of brokers and clients
  [
    'version',
    /unacceptable ?(?:protocol)? ?version|unsupported protocol version|mqtt connect bad protocol|refused\W{1,3}(?:bad|incorrect) protocol/,
  ],
  ['badRequest', /id(?:entifier)? ?rejected|client identifier (?:is )?not valid|bad client id/],
  [
    'unauthorized',
    /(?:bad|malformed) ?user ?name ?or ?password|refused ?not ?authori[sz]ed|refused\W{1,3}(?:unauthori[sz]ed|incorrect ?user ?name)|connection (?:refused|not accepted).{0,20}(?:not authori[sz]ed|bad)/,
  ],
  [
    'unavailable',
    /(?:connection refused|connection not accepted).{0,20}server unavailable|refused ?server ?unavailable|refused.{0,3}broker unavailable|mqtt connect unavailable/,
  ],
  ['connectTimeout', /connack time-?out|tim(?:ed|e) ?out waiting for connack|connect(?:ion)? attempt timed out/],

  // TLS and DNS, in the words of OpenSSL, .NET, Python, Java, Go
  [
    'tls',
    /certificate verif(?:y|ication) (?:failed|error)|certification path|certificate is not yet valid|subject alternative (?:dns )?name|bad certificate|trust relationship|(?:ssl|tls) connection could not|unable to get (?:local )?issuer certificate|unable to verify the first certificate|self[- ]signed certificate|(?:ssl|tls) ?handshake|\b(?:ssl|tls)(?: connection)? error\b|(?:ssl|tls) (?:routines|negotiation|session|failed|fatal|channel)|eof occurred in violation of protocol|alert (?:certificate|bad|unknown|handshake|protocol)|handshake fail|verify peer certificate|remote certificate (?:is|was) invalid|certificate has expired|pkix path|wrong version number|unknown ca\b|tls alert|(?:tlsv1(?:\.\d)?|sslv3) alert|authentication failed because the remote party|x509:|altname|certificate chain/,
  ],
  [
    'unresolved',
    /name or service not known|nodename nor servname|no such host|name resolution|getaddrinfo(?:\(\))? (?:failed|failure|error|returns)|(?:dns|host ?name) ?(?:lookup|resolution)? ?(?:failed|failure|error)|\blookup error|nameresolutionfailure|could(?: not|n['’]t) (?:be )?resolve|could(?: not|n['’]t) get host ?name|unknownhostexception|gaierror|\bnxdomain\b/,
  ],
  [
    'notConnected',
    /failed to establish a new connection|connection (?:was )?refused|actively refused|no route to host|(?:network|host) (?:is )?unreachable|(?:unable|failed) to connect to|mqtt connect failed|(?:connection|links?|session|channel) (?:is |was |were )?not open|fail(?:ed|ure) connecting to|websocket:? (?:bad )?handshake|error transport connect|failed to open (?:an? |the )?(?:new )?connection|not (?:currently )?connected\b|no connection to broker|\be(?:connrefused|hostunreach|netunreach)\b/,
  ],

  // identity
  ['disabled', /device (?:is )?disabled|hub (?:is )?suspended|is disabled\b/],
  [
    'unauthorized',
    /unauthori[sz]ed|not ?authori[sz]ed|not (?:have )?(?:authori[sz]ation|permission)|claim\(s\) are required|does not contain the specified (?:device|module)|header missing|thumbprint does not match|does not allow access|(?:expired|invalid) ?(?:sas|token)|authori[sz]ation (?:error|failed|failure)|(?:token|signature|credentials?) (?:is |are |has |have |was )?(?:expired|invalid|not yet valid)|invalid (?:signature|certificate|credentials?|token)|(?:token|certificate) (?:or certificate )?is invalid|authori[sz]ation failed|authentication fail|access (?:is )?denied|bad credentials?|not registered in the (?:enrol|prov)/,
  ],
  ['forbidden', /\bforbidden\b/],

  // what is asked for
  ['notFound', /not registered|\bnot ?found\b|does(?:n['’]t| not) exist|could not be found|\bunknown device\b/],
  ['moduleExists', /\bmodule\b.{0,160}already (?:exists?\b|registered)/],
  ['deviceExists', /\bdevice\b.{0,160}already (?:exists?\b|registered)/],
  ['conflict', /already ?exists?\b|already registered|\bconflict\b/],

  // time and connection
  [
    'timeout',
    /timed ?out|time-?out (?:expired|occurred|exceeded|period|has)|operation ?timeout|timeout expired|deadline (?:was )?exceeded|exceeded time-?out|waited too long|(?:gateway|request) ?time-?out\b(?! ?[:="'])|did not (?:respond|complete) (?:with)?in|did not properly respond|\betimedout\b|too many 504/,
  ],
  [
    'connectionLost',
    /connection (?:to [\w.:-]{1,80} )?(?:was |has been |is )?(?:reset|lost|closed|dropped|abort(?:ed)?|broken|terminated|disconnected|forcibly closed)|reset by peer|broken pipe|socket hang up|socket (?:was |is |has been )?(?:closed|disconnected)|has been disconnected|disconnection was unexpected|forcibly closed|end of (?:stream|file) (?:was )?(?:reached|unexpected)|unexpected (?:eof|end of (?:file|stream))|premature(?:ly)? close|error occurred while sending the request|transport (?:read|write)\(\) error|lost connection|connection ?closed|closed (?:its |the )?connection|session was closed|could not get an? (?:\w{1,20} ){1,4}connection|eofexception|connection was lost|network error|connect(?:ion)? fail(?:ure|ed)|client disconnecting|socket error\b|(?:tcp|ssl) closed|\b(?:econnreset|epipe)\b|, disconnecting\b|(?:^|: )eof$/,
  ],
  ['cancelled', /(?:operation|task|request|context) ?(?:was |has been |is )?cancell?ed/],

  // the other side
  [
    'server',
    /internal ?server ?error|\binternal error\b|message container is being closed|\bserver error\b|bad ?gateway/,
  ],
  ['unavailable', /(?:service|server) ?(?:is )?(?:temporarily |currently )?unavailable|server (?:is )?(?:too )?busy/],

  // what came, and what was sent
  [
    'protocol',
    /unexpected (?:character|token|end) .{0,60}(?:parsing|json)|is not valid json|error parsing (?!(?:the )?connection string)|cannot parse|invalid header flag|malformed (?:packet|frame)|protocol (?:error|violation)|contained an invalid packet|framing error/,
  ],
  [
    'badRequest',
    /bad ?request|bad format\b|method ?not ?allowed|unsupported ?media ?type|(?:is |are )not (?:a )?(?:valid|supported)|\binvalid (?:argument|request|query|json|payload|format|topic)|parse failed|malformed request|not available for basic|pars(?:e|ing) (?:the )?connection string|connection string (?:is |was )?(?:invalid|missing|malformed)|must not be (?:null|empty)|cannot be (?:null|empty)|does not support http method/,
  ],
  [
    'timeout',
    /\btime-?outs?\b(?! ?[:="']| (?:is |was )?set\b| to \d)|timed ?out|(?:network|flush|read|write|socket|connect)timeout\b/,
  ],
  // Last, since many a text says it of whatever went wrong, with the reason behind it.
  [
    'notConnected',
    /(?:could not|cannot|can['’]t|unable to|failed to) (?:be )?(?:connect|establish)|connect(?:ion)? error\b/,
  ],
];

/** Azure's Node client says so of whatever went wrong at the first connect, with the reason behind it. */
const WRAPPER = /(?:unauthorizederror: )?(?:mqtt\.js returned )?failure on first connection \(not authorized\):?/;

/** The first phrase met in a text. Bounded by the caller. */
export function proseIn(text: string): ProseConclusion | undefined {
  // Members of enumerations (`NOT_AUTHORIZED`) are words too.
  const lower = text
    .toLowerCase()
    .replace(/[\s_]+/g, ' ')
    .replace(WRAPPER, '');
  return phrases.find(([, pattern]) => pattern.test(lower))?.[0];
}

/** What a conclusion from words means. */
export function proseJudgement(name: string): Judgement | undefined {
  return Object.hasOwn(conclusions, name) ? conclusions[name as ProseConclusion] : undefined;
}
