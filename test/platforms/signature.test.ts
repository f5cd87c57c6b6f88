import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { instantOf, toWire } from '../../src/kernel/index.js';
import { makeSignature, readPublicKey, verifySignature } from '../../src/platforms/keys.js';
import { decideClaims } from '../../src/platforms/rules.js';
import { decideDigest, Malformed, readSignatures, signatureBase } from '../../src/platforms/signature.js';
import { signRequest } from '../../src/platforms/signer.js';
import type { IncomingRequest } from '../../src/runtime/index.js';

/** The request of RFC 9421, appendix B.2. */
const REQUEST: IncomingRequest = {
  method: 'POST',
  scheme: 'https',
  authority: 'example.com',
  target: '/foo?param=Value&Pet=dog',
  headers: {
    host: 'example.com',
    date: 'Tue, 20 Apr 2021 02:07:55 GMT',
    'content-type': 'application/json',
    'content-digest': 'sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:',
    'content-length': '18',
  },
  body: Buffer.from('{"hello": "world"}'),
};

// Appendix B.1.4 and B.1.2.
const ED25519 = createPublicKey({
  key: { kty: 'OKP', crv: 'Ed25519', x: 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs' },
  format: 'jwk',
});
const ED25519_PRIVATE = createPrivateKey({
  key: {
    kty: 'OKP',
    crv: 'Ed25519',
    d: 'n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU',
    x: 'JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs',
  },
  format: 'jwk',
});
const RSA_PSS =
  'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+' +
  'oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W' +
  'Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI' +
  '2wIDAQAB';

const B26 = {
  input:
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
  signature: 'sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:',
};
const B23 = {
  input:
    'sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length")' +
    ';created=1618884473;keyid="test-key-rsa-pss"',
  signature:
    'sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC5' +
    '9DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9' +
    'BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:',
};

function only(fields: { input: string; signature: string }) {
  const [signature] = readSignatures(fields.input, fields.signature);
  if (!signature) throw new Error('no signature');
  return { ...signature, text: signatureBase(REQUEST, signature.covered, signature.base) };
}

describe('the vectors of RFC 9421', () => {
  test('B.2.6: an ed25519 signature over a request', () => {
    const { text, bytes } = only(B26);
    expect(verifySignature('ed25519', ED25519, text, bytes)).toBe(true);
    expect(makeSignature('ed25519', ED25519_PRIVATE, text).equals(bytes)).toBe(true);
    expect(verifySignature('ed25519', ED25519, Buffer.concat([text, Buffer.from(' ')]), bytes)).toBe(false);
  });

  test('B.2.3: an rsa-pss-sha512 signature with full coverage', () => {
    const key = readPublicKey(RSA_PSS);
    if ('code' in key) throw new Error(key.code);
    const { text, bytes } = only(B23);
    expect(key.algorithm).toBe('rsa-pss-sha512');
    expect(verifySignature('rsa-pss-sha512', createPublicKey(key.pem), text, bytes)).toBe(true);
    bytes[0] = (bytes[0] as number) ^ 1;
    expect(verifySignature('rsa-pss-sha512', createPublicKey(key.pem), text, bytes)).toBe(false);
  });

  test('the digest of the example (RFC 9530) is that of its body', () => {
    expect(decideDigest(REQUEST.headers['content-digest'] as string, REQUEST.body)).toBeUndefined();
    expect(decideDigest(REQUEST.headers['content-digest'] as string, Buffer.from('{}'))?.code).toBe('DIGEST_MISMATCH');
  });

  test('derived components are those of section 2.2', () => {
    const names = ['@method', '@scheme', '@authority', '@request-target', '@target-uri', '@path', '@query'];
    const base = (request: IncomingRequest) => signatureBase(request, names, [[], new Map()]).toString().split('\n').slice(0, -1);
    expect(base({ ...REQUEST, authority: 'EXAMPLE.com:443' })).toEqual([
      '"@method": POST',
      '"@scheme": https',
      '"@authority": example.com',
      '"@request-target": /foo?param=Value&Pet=dog',
      '"@target-uri": https://example.com/foo?param=Value&Pet=dog',
      '"@path": /foo',
      '"@query": ?param=Value&Pet=dog',
    ]);
    expect(base({ ...REQUEST, scheme: 'http', target: '/', authority: '[::1]:8080' }).slice(2)).toEqual([
      '"@authority": [::1]:8080',
      '"@request-target": /',
      '"@target-uri": http://[::1]:8080/',
      '"@path": /',
      '"@query": ?',
    ]);
  });
});

describe('what cannot be read is malformed', () => {
  const good = 'sig=("@method");created=1';
  test.each([
    ['no dictionary', '((', 'sig=:AAAA:'],
    ['no list of components', 'sig=1', 'sig=:AAAA:'],
    ['another label', good, 'gis=:AAAA:'],
    ['no bytes', good, 'sig="AAAA"'],
    ['a component twice', 'sig=("@method" "@method")', 'sig=:AAAA:'],
    ['a component with parameters', 'sig=("@query-param";name="a")', 'sig=:AAAA:'],
    ['a component that is no string', 'sig=(1)', 'sig=:AAAA:'],
    ['too many signatures', [1, 2, 3, 4, 5].map((n) => `s${n}=()`).join(', '), 's1=:AAAA:'],
    ['too long', `sig=("${'a'.repeat(9_000)}")`, 'sig=:AAAA:'],
  ])('%s', (_what, input, signature) => {
    expect(() => readSignatures(input, signature)).toThrow(Malformed);
  });

  test('any text is read or malformed, nothing else', () => {
    const piece = fc.constantFrom(
      'sig',
      '=',
      '(',
      ')',
      '"@method"',
      ';',
      'created',
      '1',
      ':AAAA:',
      ',',
      ' ',
      '"',
      '\\',
      '?1',
      '@1',
      '%"',
    );
    const field = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(field, field, (input, signature) => {
        try {
          readSignatures(input, signature);
        } catch (error) {
          expect(error).toBeInstanceOf(Malformed);
        }
      }),
      { seed: 20260302, numRuns: 2_000 },
    );
  });

  test('a covered field that is not there', () => {
    expect(() => signatureBase(REQUEST, ['x-absent'], [[], new Map()])).toThrow(Malformed);
    expect(() => signatureBase(REQUEST, ['@status'], [[], new Map()])).toThrow(Malformed);
    // What every object has is no field of the request.
    for (const name of ['constructor', '__proto__', 'valueOf']) {
      expect(() => signatureBase(REQUEST, [name], [[], new Map()])).toThrow(Malformed);
    }
  });
});

describe('what a signature must claim', () => {
  const wall = instantOf(1_700_000_000_000);
  const full = '"@method" "@target-uri" "content-digest"';
  const code = (components: string, parameters: string, request = { target: '/a?b=1', hasBody: true }) => {
    const [signature] = readSignatures(`sig=(${components})${parameters}`, 'sig=:AAAA:');
    const claims = decideClaims(signature as never, request, wall);
    return 'code' in claims ? claims.code : 'accepted';
  };
  const parameters = ';created=1700000000;keyid="key_2236512894231552003";nonce="n"';

  test.each([
    ['accepted', full, parameters],
    ['accepted', '"@method" "@authority" "@path" "@query" "content-digest"', parameters],
    ['SIGNATURE_MALFORMED', '"@method" "@authority" "@path" "content-digest"', parameters],
    ['SIGNATURE_MALFORMED', '"@target-uri" "content-digest"', parameters],
    ['SIGNATURE_MALFORMED', '"@method" "@target-uri"', parameters],
    ['SIGNATURE_MALFORMED', full, ';created=1700000000;nonce="n"'],
    ['SIGNATURE_MALFORMED', full, ';created=1700000000;keyid="k"'],
    ['SIGNATURE_MALFORMED', full, ';created=1700000000;keyid="k";nonce=""'],
    ['SIGNATURE_MALFORMED', full, `;created=1700000000;keyid="k";nonce="${'n'.repeat(65)}"`],
    ['SIGNATURE_MALFORMED', full, ';keyid="k";nonce="n"'],
    ['SIGNATURE_MALFORMED', full, ';created="1700000000";keyid="k";nonce="n"'],
    ['SIGNATURE_MALFORMED', full, `${parameters};alg=1`],
    ['SIGNATURE_MALFORMED', full, `${parameters};expires="never"`],
    ['SIGNATURE_EXPIRED', full, ';created=1699999699;keyid="k";nonce="n"'],
    ['accepted', full, ';created=1699999700;keyid="k";nonce="n"'],
    ['accepted', full, ';created=1700000300;keyid="k";nonce="n"'],
    ['SIGNATURE_EXPIRED', full, ';created=1700000301;keyid="k";nonce="n"'],
    ['SIGNATURE_EXPIRED', full, `${parameters};expires=1699999999`],
    ['accepted', full, `${parameters};expires=1700000001`],
  ])('%s: (%s)%s', (expected, components, given) => {
    expect(code(components, given)).toBe(expected);
  });

  test('the query must be covered where there is one', () => {
    expect(code('"@method" "@authority" "@path"', parameters, { target: '/a', hasBody: false })).toBe('accepted');
    expect(code('"@method" "@authority" "@path"', parameters, { target: '/a?', hasBody: false })).toBe('SIGNATURE_MALFORMED');
  });

  test('a digest of a kind that we do not know is not enough, and every known one must be right', () => {
    const right = `sha-256=:${createHash('sha256').update('x').digest('base64')}:`;
    const wrong = `sha-512=:${createHash('sha512').update('y').digest('base64')}:`;
    const decide = (field: string) => decideDigest(field, Buffer.from('x'))?.code;
    expect([right, `md5=:AAAA:, ${right}`, 'md5=:AAAA:', `${right}, ${wrong}`, 'sha-256="x"', '((', ''].map(decide)).toEqual([
      undefined,
      undefined,
      'SIGNATURE_MALFORMED',
      'DIGEST_MISMATCH',
      'DIGEST_MISMATCH',
      'SIGNATURE_MALFORMED',
      'SIGNATURE_MALFORMED',
    ]);
  });
});

describe('keys and the signer', () => {
  test.each([
    ['ed25519', generateKeyPairSync('ed25519')],
    ['rsa-pss-sha512', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ] as const)('what the %s signer signs verifies, and nothing else does', (algorithm, { publicKey, privateKey }) => {
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    expect(readPublicKey(pem)).toEqual({ algorithm, pem });
    const url = 'http://127.0.0.1:8080/v1/instructions?a=%20b';
    const headers = signRequest({
      method: 'POST',
      url,
      body: '{"a":1}',
      keyId: toWire('key', '2236512894231552003' as never),
      privateKey,
      now: 1_700_000_000_000,
      nonce: 'n',
    });
    const [signature] = readSignatures(headers['signature-input'] as string, headers.signature as string);
    if (!signature) throw new Error('no signature');
    const request = {
      method: 'POST',
      scheme: 'http',
      authority: '127.0.0.1:8080',
      target: '/v1/instructions?a=%20b',
      headers,
    } as const;
    const verifies = (changed: object) =>
      verifySignature(
        algorithm,
        publicKey,
        signatureBase({ ...request, ...changed }, signature.covered, signature.base),
        signature.bytes,
      );
    expect(verifies({})).toBe(true);
    const changes = [
      { method: 'PUT' },
      { target: '/v1/instructions' },
      { authority: 'other' },
      { scheme: 'https' },
      { headers: { 'content-digest': 'x' } },
    ];
    expect(changes.map(verifies)).toEqual([false, false, false, false, false]);
  });

  test('unsuitable keys are refused', () => {
    const spki = (key: { export(options: object): string | Buffer }) => key.export({ type: 'spki', format: 'pem' }).toString();
    const weak = spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey);
    const curve = spki(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey);
    const secret = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    for (const text of [weak, curve, secret, '', 'AAAA', '-----BEGIN PUBLIC KEY-----'])
      expect(readPublicKey(text)).toMatchObject({ code: 'KEY_UNSUITABLE' });
  });
});
