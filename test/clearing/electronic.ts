import { randomUUID } from 'node:crypto';
import { type ElectronicAccount, electronicRecords, insertElectronicAccounts } from '../../src/accounts/index.js';
import { bindSettlementAccounts } from '../../src/accounts/store.js';
import { decideNow } from '../../src/dispatch/index.js';
import { executeShard, findInstructions, systemInstruction } from '../../src/instructions/index.js';
import { type BusinessDate, canonicalJson, type Id, toWire } from '../../src/kernel/index.js';
import { lockShard, openAccounts } from '../../src/ledger/index.js';
import { addParameter } from '../../src/runtime/parameters.js';
import { wholeStatement } from '../support/statement.js';
import { fen, type Market } from './market.js';

// Electronic accounts beside a market's sellers: opened as the service writes them, paid into by transfers that the core bank knows.

/** A person's electronic account with a bound card at the custodian itself. */
export interface Holder {
  readonly account: Id;
  readonly customerId: Id;
  readonly card: string;
}

let holders = 0;

export async function openHolder(market: Market, accountClass: 2 | 3, { bankCode } = { bankCode: '' }): Promise<Holder> {
  const { rt, db, clock } = market.world;
  holders += 1;
  const [account, customerId, userId] = [rt.newId(), rt.newId(), rt.newId()];
  const card = `62220200000${String(holders).padStart(6, '0')}78`;
  const { businessDate } = await market.book();
  await db.withTx('open electronic account', async (tx) => {
    await tx.write(
      `INSERT INTO customers (id, kind, id_type, id_no_sealed, id_index, name_sealed, mobile_sealed, documented, use_no, verified_ms, created_ms)
       VALUES (?, 'person', 'resident-id', ?, ?, ?, ?, 1, 0, 0, 0)`,
      [
        customerId,
        rt.vault.seal('11010519491231002X'),
        rt.vault.index('id:resident-id', customerId),
        rt.vault.seal('张三'),
        rt.vault.seal('13800138000'),
      ],
    );
    await openAccounts(tx, [{ id: account, platformId: market.platformId, type: `class-${accountClass}` }]);
    await bindSettlementAccounts(tx, rt.vault, [[account, { name: '张三', account: card, bankCode }]]);
    const electronic: ElectronicAccount = {
      accountId: account,
      platformId: market.platformId,
      customerId,
      userId,
      class: accountClass,
      virtualNo: account,
      state: 'active',
      faceToFace: true,
      funded: false,
      aliveMs: null,
      cardIndex: rt.vault.index('card', card),
      cardClass: '1',
      interestFrom: businessDate,
      openedMs: clock.now(),
      closedMs: null,
      owner: { stopped: null, idExpires: null, idTaskDueMs: null, documented: true },
    };
    await insertElectronicAccounts(tx, [electronic], businessDate);
  });
  return { account, customerId, card };
}

/** A transfer from the bound card, at the bank and in the books. */
export async function deposit(market: Market, { account, card }: Holder, amount: bigint): Promise<void> {
  const { businessDate, shardId } = await market.book();
  const reference = `TR-${randomUUID()}`;
  const inflow = { reference, amount, counterparty: '张三', text: '' };
  await market.channels.coreBank.inflows(market.custodyNo, businessDate, [inflow]);
  const payer = { name: '张三', account: card, bankCode: '' };
  const data = { account: toWire('account', account), amount: fen(amount), payer, reference };
  const { platformId } = market;
  const submission = systemInstruction({ platformId, requestNo: reference, kind: 'incoming-transfer', data, actor: 'test' });
  await must(market, await decideNow(market.desk, [{ shardId, submission }]));
}

async function must(market: Market, receipts: Awaited<ReturnType<typeof decideNow>>): Promise<void> {
  for (const receipt of receipts) {
    const outcome = 'id' in receipt ? await outcomeOf(market, receipt.id) : receipt.refused.code;
    if (outcome !== 'posted') throw new Error(`refused: ${outcome}`);
  }
}

export async function outcomeOf({ world: { db } }: Market, id: Id): Promise<string> {
  const outcome = (await db.read('outcome', (tx) => findInstructions(tx, [id]))).get(id)?.outcome;
  return outcome?.code ?? outcome?.state ?? 'undecided';
}

/** Gives an instruction to which the holder has said yes; answers `posted` or the code of the refusal. */
export async function withConsent(market: Market, holder: Holder, kind: string, data: Record<string, unknown>): Promise<string> {
  const id = await receiveConsented(market, holder, kind, data);
  await executeShard(market.world.rt, (await market.book()).shardId);
  return outcomeOf(market, id);
}

/** The same, and it is not decided yet. */
export async function receiveConsented(
  { world, platformId }: Market,
  holder: Holder,
  kind: string,
  data: Record<string, unknown>,
): Promise<Id> {
  const { db, rt, intake, clock } = world;
  const body = canonicalJson('from' in data ? data : { account: toWire('account', holder.account), ...data });
  const [receipt] = await intake.receive([{ platformId, origin: 'P', requestNo: randomUUID(), kind, body, actor: 'test' }]);
  if (receipt === undefined || 'refused' in receipt) throw new Error(`not received: ${receipt?.refused.code}`);
  const [nowMs, nothing] = [clock.now(), Buffer.alloc(32)];
  await db.withTx('consent', (tx) =>
    tx.write(
      `INSERT INTO consents (id, subject, subject_id, platform_id, customer_id, needs, state, token_hash, shown_sealed, digest, attempts,
         codes_sent, expires_ms, created_ms, card_index)
       SELECT ?, 'instruction', ?, ?, ?, 'both', 'given', ?, '', ?, 0, 0, ?, ?, card_index FROM electronic_accounts WHERE account_id = ?`,
      [
        rt.newId(),
        receipt.id,
        platformId,
        holder.customerId,
        rt.vault.index('card', receipt.id),
        nothing,
        nowMs + 60_000,
        nowMs,
        holder.account,
      ],
    ),
  );
  return receipt.id;
}

export async function electronicOf({ world: { db } }: Market, { account }: Holder): Promise<ElectronicAccount> {
  const found = (await db.read('electronic', (tx) => electronicRecords.load(tx, [account]))).get(account);
  if (found === undefined) throw new Error(`no electronic account ${account}`);
  return found;
}

/** Under the shard's lock, as the service does it. */
export async function changeElectronic({ world: { db, clock } }: Market, { account }: Holder, change: string): Promise<void> {
  await db.withTx('change', async (tx) => {
    await lockShard(tx, 0, clock.now());
    await tx.write(`UPDATE electronic_accounts SET ${change} WHERE account_id = ?`, [account]);
  });
}

/** What the bank pays from a date on, in millionths a year. */
export async function bankPays({ world: { db } }: Market, validFrom: string, value: bigint): Promise<void> {
  const row = { name: 'interest.demand', validFrom: validFrom as BusinessDate, value, source: '本行挂牌' };
  await db.withTx('rate', (tx) => addParameter(tx, row));
}

/** What of an account is not with the core bank's statement yet, as references and amounts the bank shows on a date. */
export async function statementOf({ channels, custodyNo }: Market, date: string): Promise<[reference: string, amount: bigint][]> {
  const { lines } = await wholeStatement(channels, custodyNo, date as BusinessDate);
  return lines.map(({ reference, amount }) => [reference, amount]);
}

export const instructionCount = async ({ world: { db } }: Market, kind: string): Promise<number> => {
  const rows = await db.read('count', (tx) =>
    tx.rows<{ n: string }>('SELECT COUNT(*) AS n FROM instructions WHERE kind = ?', [kind]),
  );
  return Number(rows[0]?.n);
};

/** Says the interest of an account as the system would, under a number of its own; answers `posted` or the code of the refusal. */
export async function giveInterest(market: Market, holder: Holder, data: Record<string, unknown>): Promise<string> {
  const { platformId, desk } = market;
  const { shardId } = await market.book();
  const whole = { account: toWire('account', holder.account), ...data };
  const submission = systemInstruction({ platformId, requestNo: randomUUID(), kind: 'interest', data: whole, actor: 'test' });
  const [receipt] = await decideNow(desk, [{ shardId, submission }]);
  return receipt === undefined || 'refused' in receipt ? 'none' : outcomeOf(market, receipt.id);
}
