import { z } from 'zod';
import { refuse, toWire } from '../../kernel/index.js';
import { textSchema, wireId } from '../../runtime/index.js';
import { undoNeeds, unrecovered } from '../judging/income.js';
import { type At, change, type Facts, type Kind, type Origin, refused } from '../kind.js';
import { type PastInstruction, pastRecords } from '../past.js';

const schema = z.strictObject({ instruction: wireId('instruction'), reason: textSchema(256) });
type Correction = z.output<typeof schema>;

/**
 * Undoes a posted instruction by a new one that points at it and reverses its postings; nothing that was posted is changed.
 * The platform may correct its own only within the business date; after that, and for money that came in, only the bank may.
 */
export function correctionOf(kindOf: (name: string) => Kind | undefined): Kind<Correction> {
  const original = (facts: Facts, data: Correction) => {
    const past = facts.record(pastRecords, data.instruction);
    const kind = past === undefined ? undefined : kindOf(past.kind);
    if (past === undefined || kind === undefined) return undefined;
    // A schema that was narrowed since must not stop the shard: what cannot be read today cannot be corrected by this way.
    const body = (kind.stored ?? kind.schema).safeParse(JSON.parse(past.body));
    return { past, kind, data: body.data, undo: body.success ? kind.undo : undefined };
  };
  return {
    name: 'correction',
    en: 'Correction',
    zh: '冲正',
    origins: ['P', 'O'],
    proof: 'bank',
    schema,
    example: { instruction: 'ins_2236512894231552011', reason: '重复提交' },
    needs: (data) => ({ records: [[pastRecords, data.instruction]] }),
    needsThen(data, facts, at) {
      const found = original(facts, data);
      const undo = found?.undo;
      if (undo === undefined) return {};
      const diverted = undoNeeds(data.instruction, facts, at);
      const first = undo.needs(found?.data, at, data.instruction);
      const then = undo.needsThen?.(found?.data, facts, at) ?? {};
      return {
        accounts: [...(first.accounts ?? []), ...(then.accounts ?? [])],
        records: [...(first.records ?? []), ...(then.records ?? []), ...(diverted.records ?? [])],
      };
    },
    decide(data, facts, at) {
      const found = original(facts, data);
      if (found === undefined) {
        return refused(refuse('INSTRUCTION_NOT_FOUND', undefined, { instruction: toWire('instruction', data.instruction) }));
      }
      const { past, undo } = found;
      if (!past.posted || undo === undefined) return refused(refuse('NOT_CORRECTABLE', undefined, { kind: past.kind }));
      const refusal = mayCorrect(past, undo.origins, at);
      if (refusal !== undefined) return refused(refusal);
      const undone = undo.records(found.data, facts, at, past.id);
      if ('code' in undone) return refused(undone);
      return {
        // Debits first, so that what one account gives back another can take; uncleared money goes before cleared.
        postings: past.entries
          .map(({ account, amount }) => ({
            account,
            amount: -amount,
            draw: 'uncleared-first' as const,
            flow: { reversal: past.postedMs },
            // On an order nothing is uncleared but what a channel owes: what is split from it anew clears anew.
            ...(facts.account(account)?.type === 'order' ? {} : { clears: 'inherit' as const }),
          }))
          .sort((a, b) => (a.amount < b.amount ? -1 : a.amount > b.amount ? 1 : 0)),
        records: [
          ...undone.records,
          ...unrecovered(past.id, facts, at),
          change(pastRecords, past.id, { ...past, correctedBy: at.instruction }),
        ],
        ...(undone.boundary === undefined ? {} : { boundary: undone.boundary }),
        result: { corrects: toWire('instruction', past.id) },
      };
    },
  };
}

function mayCorrect(past: PastInstruction, origins: readonly Origin[], at: At) {
  if (past.correctedBy !== null)
    return refuse('ALREADY_CORRECTED', undefined, { correctedBy: toWire('instruction', past.correctedBy) });
  if (at.origin === 'P' && past.origin !== 'P') return refuse('NOT_CORRECTABLE', 'Only the bank can correct what the bank gave.');
  if (!origins.includes(at.origin)) return refuse('NOT_CORRECTABLE', 'Only the bank can correct this kind.', { kind: past.kind });
  if (at.origin === 'P' && past.businessDate !== at.book.businessDate) {
    return refuse('NOT_CORRECTABLE', 'After its business date only the bank can correct it.', {
      businessDate: past.businessDate,
    });
  }
  return undefined;
}
