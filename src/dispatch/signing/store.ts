import type { CollectingChannel } from '../../channels/index.js';
import { asId, type Id, type Instant } from '../../kernel/index.js';
import { sql, type Tx } from '../../runtime/index.js';
import type { SigningState } from './states.js';

/** A contract with a channel about one card of a customer, or the question for one. */
export interface Signing {
  readonly signNo: Id;
  readonly channel: CollectingChannel;
  readonly customerId: Id;
  /** Blind index of the card. */
  readonly cardIndex: Buffer;
  /** Of what was asked: name, document, card, bank and mobile number; keyed by the vault. */
  readonly contentHash: Buffer;
  readonly state: SigningState;
  readonly contractSealed: string | null;
}

interface SigningRow {
  sign_no: string;
  channel: CollectingChannel;
  customer_id: string;
  card_index: Buffer;
  content_hash: Buffer;
  state: SigningState;
  contract_sealed: string | null;
}

/** The signings of these customers that are asked or signed now, one for each channel and card. */
export async function liveSignings(tx: Tx, customerIds: readonly Id[]): Promise<Signing[]> {
  if (customerIds.length === 0) return [];
  const rows = await tx.rows<SigningRow>(
    `SELECT sign_no, channel, customer_id, card_index, content_hash, state, contract_sealed FROM channel_signings
     WHERE customer_id IN (${customerIds.join()}) AND live = 1`,
  );
  return rows.map((row) => ({
    signNo: asId(row.sign_no),
    channel: row.channel,
    customerId: asId(row.customer_id),
    cardIndex: row.card_index,
    contentHash: row.content_hash,
    state: row.state,
    contractSealed: row.contract_sealed,
  }));
}

/**
 * Writes down that signings are asked for, before a channel hears of them, each in place of the one that its content has outlived.
 * @throws a duplicate-key error when another worker asks for one of them already
 */
export async function insertSignings(
  tx: Tx,
  signings: readonly Omit<Signing, 'state' | 'contractSealed'>[],
  replaced: readonly Id[],
  nowMs: Instant,
): Promise<void> {
  if (replaced.length > 0)
    await tx.write(
      `UPDATE channel_signings SET state = 'replaced', live = NULL, changed_ms = ?
       WHERE sign_no IN (${replaced.join()}) AND state IN ('asked', 'signed')`,
      [nowMs],
    );
  const rows = signings.map(
    (s) =>
      `${s.signNo},'${s.channel}',${s.customerId},${sql.hex(s.cardIndex)},${sql.hex(s.contentHash)},'asked',1,NULL,NULL,${nowMs},${nowMs}`,
  );
  await tx.write(
    `INSERT INTO channel_signings (sign_no, channel, customer_id, card_index, content_hash, state, live, contract_sealed, reason,
       asked_ms, changed_ms) VALUES ${sql.tuples(rows)}`,
  );
}

/** Keeps a channel's answer. One that was answered or replaced meanwhile stays as it is. */
export async function noteSigning(
  tx: Tx,
  signNo: Id,
  answer: { readonly contractSealed: string } | { readonly reason: string },
  nowMs: Instant,
): Promise<void> {
  const signed = 'contractSealed' in answer;
  await tx.write(
    `UPDATE channel_signings SET state = ?, live = ?, contract_sealed = ?, reason = ?, changed_ms = ?
     WHERE sign_no = ? AND state = 'asked'`,
    [
      signed ? 'signed' : 'refused',
      signed ? 1 : null,
      signed ? answer.contractSealed : null,
      signed ? null : answer.reason,
      nowMs,
      signNo,
    ],
  );
}
