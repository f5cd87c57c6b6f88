import type { Kind } from '../kind.js';
import { correctionOf } from './correction.js';
import { fee } from './fee.js';
import { capture, hold, release } from './hold.js';
import { payment } from './payment.js';
import { payoutFailed, payoutReturned, payoutSettled } from './payout-results.js';
import { refund } from './refund.js';
import { split, splitReturn } from './split.js';
import { transfer } from './transfer.js';
import { clearing, withdrawal } from './withdrawal.js';

/** Every kind of instruction: one line each. */
const ALL = [
  payment,
  split,
  splitReturn,
  refund,
  transfer,
  hold,
  release,
  capture,
  withdrawal,
  fee,
  correctionOf((name) => kinds.get(name)),
  clearing,
  payoutSettled,
  payoutFailed,
  payoutReturned,
] as unknown as readonly Kind[];

export const kinds: ReadonlyMap<string, Kind> = new Map(ALL.map((kind) => [kind.name, kind]));
