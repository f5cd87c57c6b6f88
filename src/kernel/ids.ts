import { invariant } from './refusals.js';

/**
 * Ids: 63 bits, time-ordered, always 19 decimal digits, made by the application.
 *
 * Layout: 41 bits of milliseconds since 2010-01-01Z, 12 bits of process number, 10 bits of sequence. In the database a
 * BIGINT, in code the decimal string of it (so that no conversion stands between a row and a statement), on the wire that
 * string behind a prefix: `acc_2236512894231552003`.
 */
export type Id = string & { readonly __id: true };

const EPOCH_MS = Date.UTC(2010, 0, 1);
const SEQUENCE_BITS = 10n;
const SEQUENCES = 1 << Number(SEQUENCE_BITS);
const PROCESS_BITS = 12n;
export const PROCESS_NUMBERS = 1 << Number(PROCESS_BITS);

export const ID_PREFIXES = {
  platform: 'plt',
  key: 'key',
  party: 'pty',
  customer: 'cus',
  user: 'usr',
  document: 'doc',
  task: 'tsk',
  verification: 'ver',
  account: 'acc',
  opening: 'opn',
  change: 'chg',
  merchant: 'mer',
  instruction: 'ins',
  batch: 'bat',
  hold: 'hld',
  dispute: 'dsp',
  freeze: 'frz',
  deduction: 'ded',
  payout: 'pay',
  plan: 'pln',
  'float-transfer': 'fit',
  'float-entry': 'fie',
  outage: 'out',
  'review-rule': 'rvr',
  suspense: 'sus',
  proposal: 'prp',
  'acquirer-file': 'acf',
  agreement: 'agr',
  version: 'agv',
  group: 'agg',
  signature: 'sgn',
  escrow: 'esc',
  project: 'prj',
  bid: 'bid',
  claim: 'clm',
  'claim-sale': 'cls',
  compensation: 'cmp',
  'lending-terms': 'ltm',
  confirmation: 'cnf',
  'escrow-review': 'esr',
  consent: 'cns',
  mandate: 'mdt',
  break: 'brk',
  'late-correction': 'lco',
  repair: 'rep',
  'large-value': 'lvr',
  suspicion: 'spc',
  'tax-adjustment': 'txa',
  operator: 'opr',
  audit: 'aud',
  'file-dispute': 'fds',
  'file-key': 'fky',
  'wind-down': 'wnd',
  'fund-order': 'fno',
} as const;
export type IdKind = keyof typeof ID_PREFIXES;

/** The database form of an id that came from a row. */
export function asId(value: string | bigint): Id {
  return String(value) as Id;
}

export function toWire(kind: IdKind, id: Id): string {
  return `${ID_PREFIXES[kind]}_${id}`;
}

/** The pattern of a wire id, for schemas. */
export function wirePattern(kind: IdKind): RegExp {
  return new RegExp(`^${ID_PREFIXES[kind]}_[1-9][0-9]{18}$`);
}

/** The id behind a wire form that matched `wirePattern(kind)`. */
export function fromWire(wire: string): Id {
  return wire.slice(4) as Id;
}

/** @param count how many ids in a row to take, of which the first is answered; `idAfter` names the others. At most 1,024. */
export type NewId = (count?: number) => Id;

/** The id that stands so many places after another of the same row. */
export function idAfter(id: Id, places: number): Id {
  return String(BigInt(id) + BigInt(places)) as Id;
}

/**
 * A generator for one process. Ids ascend strictly within it; when the clock stands still or steps back, or 1,024 ids were
 * made in one millisecond, it counts on from the last one instead of waiting.
 */
export function idGenerator(processNumber: number, wallMs: () => number): NewId {
  invariant(processNumber >= 0 && processNumber < PROCESS_NUMBERS, `process number ${processNumber} out of range`);
  const process = BigInt(processNumber) << SEQUENCE_BITS;
  let lastMs = 0;
  let next = 0;
  return (count = 1) => {
    invariant(count >= 1 && count <= SEQUENCES, `${count} ids in a row`);
    const nowMs = wallMs() - EPOCH_MS;
    if (nowMs > lastMs) {
      lastMs = nowMs;
      next = 0;
    } else if (next + count > SEQUENCES) {
      lastMs += 1;
      next = 0;
    }
    const sequence = next;
    next += count;
    return String((BigInt(lastMs) << (SEQUENCE_BITS + PROCESS_BITS)) | process | BigInt(sequence)) as Id;
  };
}
