import { z } from 'zod';
import {
  claimQueueRecords,
  deductionRecords,
  findClaim,
  freezeEndRecords,
  heldByClaim,
  withChanged,
} from '../../claims/index.js';
import { refuse, toWire } from '../../kernel/index.js';
import { frozenOf } from '../../ledger/index.js';
import { wireId } from '../../runtime/index.js';
import { orderedPayout } from '../effects/payouts.js';
import { change, type Kind, refused } from '../kind.js';

const schema = z.strictObject({ deduction: wireId('deduction') });

/**
 * Pays frozen money to the authority that had it frozen. What it says was asked for by one of the bank's staff and approved by another;
 * only the approval gives this instruction.
 */
export const judicialDeduction: Kind<z.output<typeof schema>> = {
  name: 'judicial-deduction',
  en: 'Judicial deduction',
  zh: '司法扣划',
  origins: ['S'],
  proof: 'authority',
  schema,
  example: { deduction: 'ded_2236512894231552014' },
  needs: (data, at) => ({ accounts: [at.book.accounts['in-transit']], records: [[deductionRecords, data.deduction]] }),
  needsThen(data, facts) {
    const deduction = facts.record(deductionRecords, data.deduction);
    if (deduction === undefined) return {};
    return {
      records: [
        [claimQueueRecords, deduction.accountId],
        [freezeEndRecords, deduction.freezeId],
      ],
    };
  },
  decide(data, facts, at) {
    const deduction = facts.record(deductionRecords, data.deduction);
    if (deduction === undefined)
      return refused(refuse('DEDUCTION_NOT_FOUND', undefined, { deduction: toWire('deduction', data.deduction) }));
    if (deduction.state !== 'approved') return refused(refuse('DEDUCTION_DECIDED', undefined, { state: deduction.state }));
    const { accountId, freezeId, amount, payee } = deduction;
    const queue = facts.record(claimQueueRecords, accountId);
    const account = facts.account(accountId);
    const claim = findClaim(queue, freezeId);
    // Once its last day is over it has ended, whether the sweep has been there or not.
    const isOver = (facts.record(freezeEndRecords, freezeId)?.dueMs ?? 0) <= at.nowMs;
    if (queue === undefined || account === undefined || claim === undefined || isOver)
      return refused(refuse('FREEZE_ENDED', undefined, { freeze: toWire('freeze', freezeId) }));
    const held = heldByClaim(queue, freezeId, frozenOf(account));
    if (amount > held) return refused(refuse('DEDUCTION_EXCEEDS_FREEZE', undefined, { held: String(held) }));
    const { no, records, events } = orderedPayout(at, { purpose: 'judicial', source: accountId, amount, payee });
    return {
      postings: [
        { account: accountId, amount: -amount, draw: 'cleared-only', flow: 'exempt', claim: 'court' },
        { account: at.book.accounts['in-transit'], amount },
      ],
      records: [
        change(claimQueueRecords, accountId, withChanged(queue, freezeId, { taken: claim.taken + amount })),
        change(deductionRecords, deduction.id, { ...deduction, state: 'ordered' as const, payoutId: at.instruction }),
        ...records,
      ],
      events,
      result: { payout: no },
    };
  },
};
