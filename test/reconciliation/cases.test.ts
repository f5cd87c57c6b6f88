import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { changeDay } from '../../src/clearing/store.js';
import { executeShard, findInstructions } from '../../src/instructions/index.js';
import { asId, type BusinessDate, type Id, Refused } from '../../src/kernel/index.js';
import { type Suggestion, suggestionsFor } from '../../src/reconciliation/repair-rules.js';
import { approveRepair, factsOf, own, proposeRepair, rejectRepair } from '../../src/reconciliation/repairs.js';
import { runsOf } from '../../src/reconciliation/run-store.js';
import { type Break, findBreak } from '../../src/reconciliation/store.js';
import { isSealed } from '../../src/runtime/index.js';
import { closeNext, type Market, MONDAY, openMarket } from '../clearing/market.js';

const TUESDAY = '2026-03-03' as BusinessDate;
const WEDNESDAY = '2026-03-04' as BusinessDate;
const [MAKER, CHECKER] = [asId('1000000000000000001'), asId('1000000000000000002')];

describe('a break is a case of two people', () => {
  let market: Market;
  beforeEach(async () => {
    market = await openMarket();
  });
  afterEach(() => market.end());

  const who = (operator: Id) => ({ operator, nowMs: market.world.clock.now() });
  const tx = <T>(work: Parameters<typeof market.world.db.withTx<T>>[1]) => market.world.db.withTx('case', work);
  const refusal = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      (error: unknown) => (error instanceof Refused ? error.refusal.code : String(error)),
    );
  const suggested = (of: Break): Promise<Suggestion[]> =>
    market.world.db.read('suggestions', async (read) => suggestionsFor(of, await factsOf(read, of)));

  const propose = (of: Break, { action, given }: Pick<Suggestion, 'action' | 'given'>, by = MAKER) =>
    tx((at) => proposeRepair(at, market.world.rt, of.id, { action, given, note: '已核实' }, who(by)));
  const approve = (of: Break, repair: Id, by = CHECKER) =>
    tx((at) => approveRepair(at, market.world.rt, { break: of.id, repair }, null, who(by)));

  /** What is likeliest right is proposed by one and approved by another; answers what became of its instruction. */
  async function repair(of: Break, action?: Suggestion['action']): Promise<string | undefined> {
    const suggestions = await suggested(of);
    const wanted = action === undefined ? suggestions[0] : suggestions.find((each) => each.action === action);
    const proposed = await propose(of, wanted as Suggestion);
    const { repair: approved } = await approve(of, proposed.id);
    await executeShard(market.world.rt, (await market.book()).shardId);
    const id = approved.instructionId;
    if (id === null) return undefined;
    const outcome = (await market.world.db.read('outcome', (at) => findInstructions(at, [id]))).get(id)?.outcome;
    return outcome?.code ?? outcome?.state;
  }

  async function resume(date: string): Promise<void> {
    const change = { from: 'stopped', to: 'closing', reason: null, attempts: 0, retryMs: 0, closedMs: null } as const;
    await tx((at) => changeDay(at, market.platformId, date as BusinessDate, change));
  }

  const openBreaks = async () => (await market.breaks()).filter(({ state }) => state === 'open');
  const inflow = (reference: string, date: BusinessDate, amount: bigint) =>
    market.channels.coreBank.inflows(market.custodyNo, date, [{ reference, amount, counterparty: '王五', text: '货款' }]);

  test('breaks of every class are found, repaired by what is suggested, and the next day proves again', async () => {
    // A payment to another bank fails in our books, and the bank has paid it all the same.
    await market.pay('P', 10_000n);
    await market.split('P', [[market.there, 10_000n]]);
    market.faults({ scope: 'beps', fault: 'refuse' });
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'closed' }]);
    const [failed] = await market.payouts();
    expect(failed).toMatchObject({ state: 'failed', amount: 10_000n });
    const paid = (failed as NonNullable<typeof failed>).id;
    // Money that nobody expected; one that came with more than was told; one that never came.
    await inflow('UNKNOWN-1', TUESDAY, 77n);
    await market.pay('MORE', 1_000n);
    await market.pay('NEVER', 500n);
    market.faults(
      { scope: 'core', fault: 'line-extra', businessDate: TUESDAY, reference: paid, amount: '-10000' },
      { scope: 'core', fault: 'line-amount', custodyNo: market.custodyNo, messageNo: 'IN-MORE', amount: '5' },
      { scope: 'core', fault: 'line-missing', custodyNo: market.custodyNo, messageNo: 'IN-NEVER' },
    );
    expect(await closeNext(market)).toEqual([{ date: TUESDAY, state: 'stopped' }]);
    const found = new Map((await openBreaks()).map((each) => [each.reference, each]));
    expect([...found].map(([reference, of]) => [reference, of.class]).sort()).toEqual(
      [
        [paid, 'state-differs'],
        ['IN-MORE', 'amount-differs'],
        ['IN-NEVER', 'only-ours'],
        ['UNKNOWN-1', 'only-theirs'],
      ].sort(),
    );
    const of = (reference: string) => found.get(reference) as Break;
    expect((await suggested(of(paid)))[0]).toMatchObject({ action: 'adjustment', given: { account: market.there } });
    expect((await suggested(of('IN-MORE')))[0]).toMatchObject({ action: 'suspense' });
    expect((await suggested(of('IN-NEVER')))[0]).toMatchObject({ action: 'correction' });
    expect((await suggested(of('UNKNOWN-1')))[0]).toMatchObject({ action: 'suspense' });
    for (const each of found.values()) expect(await repair(each)).toBe('posted');
    expect(await openBreaks()).toEqual([]);
    await resume(TUESDAY);
    expect(await market.close()).toEqual([{ date: TUESDAY, state: 'closed' }]);
    expect(await closeNext(market)).toEqual([{ date: WEDNESDAY, state: 'closed' }]);
    expect((await market.breaks()).every(({ clearedDate }) => clearedDate === WEDNESDAY)).toBe(true);
    expect((await market.step(WEDNESDAY, 'proof')).detail).toMatchObject({ outstanding: '0', openBreaks: 0, faults: [] });
    expect(await market.wrongs()).toEqual([]);
  });

  test('nobody approves what he proposed, nothing is done twice, and only one proposal waits at a time', async () => {
    await inflow('UNKNOWN-1', MONDAY, 77n);
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'stopped' }]);
    const [found] = (await openBreaks()) as [Break];
    const suspense = { action: 'suspense', given: {} } as const;
    expect(await refusal(propose(found, { action: 'correction', given: { instruction: MAKER } }))).toBe('REPAIR_NOT_APPLICABLE');
    expect(await refusal(propose(found, { action: 'payout-result', given: {} }))).toBe('REPAIR_NOT_APPLICABLE');
    const proposed = await propose(found, suspense);
    expect(await refusal(propose(found, suspense, CHECKER))).toBe('REPAIR_PENDING');
    expect(await refusal(approve(found, proposed.id, MAKER))).toBe('SAME_OPERATOR');
    const at = { break: found.id, repair: proposed.id };
    expect((await tx((each) => rejectRepair(each, market.world.rt, at, '再核实', who(CHECKER)))).state).toBe('rejected');
    expect(await refusal(approve(found, proposed.id))).toBe('PROPOSAL_DECIDED');
    const again = await propose(found, suspense);
    const both = await Promise.all([
      refusal(approve(found, again.id)),
      refusal(approve(found, again.id, asId('1000000000000000003'))),
    ]);
    expect(both.sort()).toEqual(['PROPOSAL_DECIDED', 'done']);
    await executeShard(market.world.rt, (await market.book()).shardId);
    expect(await market.balance((await market.book()).accounts.suspense)).toBe(77n);
    expect(await refusal(propose(found, suspense))).toBe('BREAK_CLOSED');
    const notes = await market.world.db.read('notes', (each) =>
      each.rows<{ note: string }>(
        `SELECT note FROM break_repairs UNION ALL SELECT decided_note FROM break_repairs WHERE decided_note IS NOT NULL
         UNION ALL SELECT note FROM breaks`,
      ),
    );
    expect(notes.map(({ note }) => isSealed(note))).toEqual([true, true, true, true]); // people write names in them
  });

  test('has an owner: who takes it, who is given it, or who proposes first', async () => {
    await inflow('UNKNOWN-1', MONDAY, 77n);
    await closeNext(market);
    const [found] = (await openBreaks()) as [Break];
    expect(found.owner).toBeNull();
    await propose(found, { action: 'accept', given: {} });
    const owner = async () => (await market.world.db.read('break', (at) => findBreak(at, found.id)))?.owner;
    expect(await owner()).toBe(MAKER);
    await tx((at) => own(at, found.id, CHECKER, market.world.clock.now()));
    expect(await owner()).toBe(CHECKER);
  });

  test('a comparison that found nothing leaves its evidence as one that found something does', async () => {
    await market.pay('A', 1_000n);
    await closeNext(market);
    await inflow('UNKNOWN-1', TUESDAY, 77n);
    await closeNext(market);
    const of = (date: BusinessDate) => market.world.db.read('runs', (at) => runsOf(at, market.platformId, date));
    const nothing = { amountDiffers: 0, onlyOurs: 0, onlyTheirs: 0, stateDiffers: 0, timing: 0, closed: 0 };
    expect(await of(MONDAY)).toMatchObject([
      { party: 'core-bank', ourLines: 1, theirLines: 1, ourSum: 1_000n, theirSum: 1_000n, matched: 1, counts: nothing },
    ]);
    expect(await of(TUESDAY)).toMatchObject([
      { ourLines: 0, theirLines: 1, ourSum: 0n, theirSum: 77n, matched: 0, counts: { ...nothing, onlyTheirs: 1 } },
    ]);
  });

  const payer = { name: '王五', account: '6222020000000000078', bankCode: '102100099996' };
  const suspenseBalance = async () => market.balance((await market.book()).accounts.suspense);

  test('what the books have taken meanwhile is neither proposed nor approved', async () => {
    await inflow('LATE-1', MONDAY, 77n);
    await closeNext(market);
    const [found] = (await openBreaks()) as [Break];
    const proposed = await propose(found, { action: 'suspense', given: {} });
    const payment = { orderNo: 'L', amount: { amount: 77, currency: 'CNY' }, payer, reference: 'LATE-1' };
    expect(await market.give('payment', payment)).toBe('posted');
    expect(await refusal(approve(found, proposed.id))).toBe('REPAIR_OVERTAKEN');
    await tx((each) => rejectRepair(each, market.world.rt, { break: found.id, repair: proposed.id }, '已入账', who(CHECKER)));
    expect(await refusal(propose(found, { action: 'suspense', given: {} }))).toBe('REPAIR_OVERTAKEN');
    expect((await suggested(found)).map(({ action }) => action)).toEqual(['accept']);
    expect(await suspenseBalance()).toBe(0n);
    expect(await repair(found, 'accept')).toBeUndefined();
    await resume(MONDAY);
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect(await closeNext(market)).toEqual([{ date: TUESDAY, state: 'closed' }]);
    expect(await market.breaks()).toMatchObject([{ clearedDate: TUESDAY }]);
    expect(await market.wrongs()).toEqual([]);
  });

  test('that the books refuse to repair stays open, and the proposal waits as it was', async () => {
    market.faults({ scope: 'core', fault: 'line-extra', businessDate: MONDAY, reference: 'BANKFEE-1', amount: '-50' });
    await closeNext(market);
    const [found] = (await openBreaks()) as [Break];
    const proposed = await propose(found, { action: 'adjustment', given: { account: market.here } });
    expect(await refusal(approve(found, proposed.id))).toBe('REPAIR_REFUSED');
    expect(await openBreaks()).toMatchObject([{ reference: 'BANKFEE-1', state: 'open' }]);
    await market.pay('A', 1_000n);
    await market.split('A', [[market.here, 1_000n]]);
    await approve(found, proposed.id);
    expect(await openBreaks()).toEqual([]);
    expect(await market.balance(market.here)).toBe(950n);
    expect(await market.wrongs()).toEqual([]);
  });

  test('a statement that begins with what an accepted break lacked asks for nothing to be booked', async () => {
    market.faults({ scope: 'core', fault: 'line-missing', custodyNo: market.custodyNo, messageNo: 'IN-LATER' });
    await market.pay('LATER', 500n);
    expect(await closeNext(market)).toEqual([{ date: MONDAY, state: 'stopped' }]);
    const [missing] = (await openBreaks()) as [Break];
    expect(await repair(missing, 'accept')).toBeUndefined();
    await resume(MONDAY);
    await market.close();
    market.faults(); // the bank has the line after all, without a trace on the next day's statement
    expect(await closeNext(market)).toEqual([{ date: TUESDAY, state: 'stopped' }]);
    const [opening] = (await openBreaks()) as [Break];
    expect(opening).toMatchObject({ reference: 'OPENING', ourAmount: 0n, theirAmount: 500n });
    expect(await suggested(opening)).toMatchObject([{ action: 'accept', why: expect.stringContaining('IN-LATER') }]);
  });

  test('whose reference the books cannot take waits on suspense under its own, and clears', async () => {
    await inflow('流水 1', MONDAY, 77n);
    await closeNext(market);
    const [found] = (await openBreaks()) as [Break];
    expect((await suggested(found)).map(({ action }) => action)).toEqual(['suspense', 'accept']);
    expect(await repair(found)).toBe('posted');
    expect(await suspenseBalance()).toBe(77n);
    expect(await openBreaks()).toEqual([]);
    await resume(MONDAY);
    expect(await market.close()).toEqual([{ date: MONDAY, state: 'closed' }]);
    expect(await closeNext(market)).toEqual([{ date: TUESDAY, state: 'closed' }]);
    expect(await market.breaks()).toMatchObject([{ clearedDate: TUESDAY }]);
  });
});
