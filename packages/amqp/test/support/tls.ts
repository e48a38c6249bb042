/*
 * A certificate signed by itself for `broker.test`, for tests on loopback only. Made with
 * openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 \\
 *   -subj /CN=broker.test -addext subjectAltName=DNS:broker.test
 */

export const cert = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUMtEbHkyhJ+Kd33Z8vX4JlhWEgzgwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLYnJva2VyLnRlc3QwIBcNMjYxMTI1MDkyMDAzWhgPMjEyNjEx
MDEwOTIwMDNaMBYxFDASBgNVBAMMC2Jyb2tlci50ZXN0MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAEsnEgz3j1yifs7XLICkXqcK5t9V4QZRP+o/u2MC6I/2Z309a7
WhaGG2SlhWduIkiu94Rzy478Aa527m/XAEGs8qNrMGkwHQYDVR0OBBYEFC1L8B8b
+bcDywyQcCieXLAjdYyAMB8GA1UdIwQYMBaAFC1L8B8b+bcDywyQcCieXLAjdYyA
MA8GA1UdEwEB/wQFMAMBAf8wFgYDVR0RBA8wDYILYnJva2VyLnRlc3QwCgYIKoZI
zj0EAwIDRwAwRAIgIhc8/C44HO9WC/eskput0/iXqsUbBgTwt+XoJzFoi8gCID+b
BT3jTX9c7NjooxXYPPnaFmRMXpqS6pPmY4ukmQ00
-----END CERTIFICATE-----
`;

export const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgYzejhTNicZuYmUEz
vSZMJz1jo2V09LMsoCmXc9wZJp+hRANCAASycSDPePXKJ+ztcsgKRepwrm31XhBl
E/6j+7YwLoj/ZnfT1rtaFoYbZKWFZ24iSK73hHPLjvwBrnbub9cAQazy
-----END PRIVATE KEY-----
`;
