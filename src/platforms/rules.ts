import { type Instant, type Refusal, refuse, wirePattern } from '../kernel/index.js';
import { type MessageSignature, textOf } from './signature.js';

/** What a platform's signature must be. Pure; the order of the checks is the order of precedence of the refusals. */
export const ALGORITHMS = ['ed25519', 'rsa-pss-sha512'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** What sort of platform it is: `lending` is the strict depository profile. Set at the opening, for good. */
export const PROFILES = ['marketplace', 'lending'] as const;
export type Profile = (typeof PROFILES)[number];

const WINDOW_S = 300;
/** A signature may be made up to five minutes ahead of our clock and is good for five minutes more; one minute of room. */
export const NONCE_MEMORY_MS = 11 * 60_000;
const NONCE_MAX = 64;

const KEY_ID = wirePattern('key');

/** The signature to judge: the first that names one of our keys. */
export function pickSignature(signatures: readonly MessageSignature[]): MessageSignature | undefined {
  return signatures.find(({ parameters }) => KEY_ID.test(textOf(parameters.get('keyid')) ?? '')) ?? signatures[0];
}

export interface Claims {
  readonly keyId: string;
  readonly nonce: string;
  readonly alg: string | undefined;
}

/** Coverage, parameters and window. */
export function decideClaims(
  signature: MessageSignature,
  request: { target: string; hasBody: boolean },
  wall: Instant,
): Claims | Refusal {
  const missing = missingComponents(signature.covered, request);
  if (missing.length > 0) return refuse('SIGNATURE_MALFORMED', `The signature does not cover ${missing.join(', ')}.`);
  const { parameters } = signature;
  const keyId = textOf(parameters.get('keyid'));
  const nonce = textOf(parameters.get('nonce'));
  const created = parameters.get('created');
  const expires = parameters.get('expires');
  if (keyId === undefined) return refuse('SIGNATURE_MALFORMED', 'The parameter keyid is missing.');
  if (nonce === undefined || nonce.length === 0 || nonce.length > NONCE_MAX) {
    return refuse('SIGNATURE_MALFORMED', `The parameter nonce is missing or not of 1 to ${NONCE_MAX} characters.`);
  }
  if (typeof created !== 'number' || !Number.isInteger(created))
    return refuse('SIGNATURE_MALFORMED', 'The parameter created is missing.');
  if (expires !== undefined && typeof expires !== 'number')
    return refuse('SIGNATURE_MALFORMED', 'The parameter expires is not a number.');
  const alg = textOf(parameters.get('alg'));
  if (parameters.has('alg') && alg === undefined) return refuse('SIGNATURE_MALFORMED', 'The parameter alg is not text.');
  const nowS = wall / 1000;
  if (Math.abs(nowS - created) > WINDOW_S)
    return refuse('SIGNATURE_EXPIRED', `created is ${Math.round(nowS - created)} s before our clock.`);
  if (expires !== undefined && expires < nowS) return refuse('SIGNATURE_EXPIRED', 'expires is past.');
  return { keyId, nonce, alg };
}

function missingComponents(covered: readonly string[], { target, hasBody }: { target: string; hasBody: boolean }): string[] {
  const needed = ['@method'];
  // Without a query there is nothing that @query would protect; with one that was added on the way, it is missing here.
  if (!covered.includes('@target-uri')) needed.push('@authority', '@path', ...(target.includes('?') ? ['@query'] : []));
  if (hasBody) needed.push('content-digest');
  return needed.filter((name) => !covered.includes(name));
}
