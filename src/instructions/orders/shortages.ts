import type { Id, Minor } from '../../kernel/index.js';
import type { Order } from '../../orders/index.js';
import {
  marginRecords,
  type ShortageLine,
  type ShortageRole,
  type ShortageState,
  shortageLineKey,
  shortageLineRecords,
  shortageRecords,
} from '../../refunds/index.js';
import { type At, change, type Facts, type RecordChange } from '../kind.js';
import type { Recalled } from './recall.js';

/** What is written of a refund that waits for money: what is missing, and the accounts whose credit has it tried again. */
export function waits(
  recalled: Recalled,
  { order, amount }: { order: Order; amount: Minor },
  facts: Facts,
  at: At,
): RecordChange[] {
  const before = facts.record(shortageRecords, at.instruction);
  const lines = new Map<Id, ShortageLine>();
  const put = (accountId: Id, role: ShortageRole, wanted = 0n, missing = 0n) =>
    lines.set(accountId, { instruction: at.instruction, accountId, role, wanted, missing, open: true });
  put(order.accountId, 'order', amount);
  put(at.book.accounts['own-funds'], 'cover');
  for (const line of recalled.lines) {
    const margin = facts.record(marginRecords, line.account)?.marginId;
    if (margin) put(margin, 'cover');
    put(line.account, 'receiver', line.amount, line.missing);
  }
  const gone = (before?.lines ?? []).filter((line) => line.open && !lines.has(line.accountId));
  return [
    change(shortageRecords, at.instruction, {
      instruction: at.instruction,
      platformId: at.platformId,
      shardId: at.book.shardId,
      orderNo: order.orderNo,
      amount,
      missing: recalled.missing,
      state: 'waiting',
      tries: (before?.tries ?? 0) + 1,
      createdMs: before?.createdMs ?? at.nowMs,
      triedMs: at.nowMs,
      lines: [...lines.values()],
    }),
    ...lineChanges([...lines.values(), ...gone.map((line) => ({ ...line, open: false }))]),
  ];
}

/** What is written when a refund that waited is decided. Nothing where it never waited. */
export function waitsNoMore(state: Extract<ShortageState, 'covered' | 'refused'>, facts: Facts, at: At): RecordChange[] {
  const shortage = facts.record(shortageRecords, at.instruction);
  if (shortage === undefined) return [];
  const lines = shortage.lines.map((line) => ({ ...line, open: false }));
  const ended = {
    ...shortage,
    state: shortage.state === 'cancelled' ? ('cancelled' as const) : state,
    missing: state === 'covered' ? 0n : shortage.missing,
    triedMs: at.nowMs,
    lines,
  };
  return [change(shortageRecords, at.instruction, ended), ...lineChanges(lines)];
}

function lineChanges(lines: readonly ShortageLine[]): RecordChange[] {
  return lines.map((line) => change(shortageLineRecords, shortageLineKey(line.instruction, line.accountId), line));
}
