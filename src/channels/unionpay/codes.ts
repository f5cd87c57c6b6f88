import { type ChannelAnswer, OTHER_CONTENT } from '../port.js';

/**
 * What UnionPay's answer codes (全渠道应答码) mean for a payment. A code that is in none of the lists says nothing that anything may be
 * concluded from: the payment is unknown, and a query or the day-end file tells.
 */
const ACCEPTED = ['03', '04', '05']; // the result is asked for: no answer from the issuer yet, state unclear, accepted
/** The payee's card or the order is at fault: refused by the issuer, no such card, state, funds, the person differs, expired, not opened. */
const FAILED = ['60', '61', '63', '64', '66', '73', '77'];
/** The channel's own: merchant's state or rights, limit, risk, an issuer that is not reached. */
const REFUSED = ['31', '32', '33', '38', '62'];
/** The channel's own, for a while: closed, outside its hours, our balance there. */
const NOT_NOW = ['02', '39', 'F1'];
const SETTLED = '00';
const DUPLICATE = '12';
const NO_SUCH_ORDER = '34';

type Meaning = Pick<ChannelAnswer, 'status' | 'reason'>;

/** What the code of a payment says; of a query: the code of the payment that was asked after. */
export function meaningOf(code: string, words: string): Meaning {
  if (code === SETTLED) return { status: 'settled' };
  if (ACCEPTED.includes(code)) return { status: 'accepted' };
  const reason = words === '' ? `code ${code}` : words;
  if (FAILED.includes(code)) return { status: 'failed', reason };
  if (REFUSED.includes(code)) return { status: 'refused', reason };
  if (NOT_NOW.includes(code)) return { status: 'not-now', reason };
  // The number was used before, for something else: nothing was paid for this call, and the first order is asked after.
  if (code === DUPLICATE) return { status: 'failed', reason: OTHER_CONTENT };
  return { status: 'unknown', reason: `code ${code}` };
}

/** What the code of a query itself says, before that of the payment counts. */
export function queryMeaningOf(code: string): Meaning | undefined {
  if (code === SETTLED) return undefined;
  if (code === NO_SUCH_ORDER) return { status: 'not-found' };
  return { status: 'unknown', reason: `query answered with code ${code}` };
}

/** Reasons that have a code of their own. */
const CODES: Readonly<Record<string, string>> = {
  'no such account': '61',
  'the card is frozen': '63',
  'insufficient funds on the card': '64',
  'account and name do not match': '66',
  'the payee bank is not reached by this channel': '62',
  'no contract for this card': '32',
  'insufficient float': 'F1',
  [OTHER_CONTENT]: DUPLICATE,
};

/** The code under which the network says such an answer. */
export function codeOf({ status, reason = '' }: Meaning): string {
  if (status === 'settled') return SETTLED;
  if (status === 'accepted') return '05';
  if (status === 'not-found') return NO_SUCH_ORDER;
  const code = CODES[reason];
  // A reason may be said of another ending than its own.
  if (code !== undefined && (code === DUPLICATE || meaningOf(code, reason).status === status)) return code;
  return status === 'refused' ? '33' : status === 'not-now' ? '39' : '60';
}
