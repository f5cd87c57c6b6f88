import { closedAt, type FundDay, listFundOrders, markFundOrdersSent, saveFund, takeFundDay } from '../../../src/funds/index.js';
import { asId, type BusinessDate, type Id, naturalDate } from '../../../src/kernel/index.js';
import { lockShard } from '../../../src/ledger/index.js';
import type { ModelFund } from '../model/funds.js';
import type { ToldDay } from '../verbs/fund.js';
import type { World } from './world.js';

export async function openFund({ db, rt }: World, code: string, { kind, settlesIn, sells }: ModelFund): Promise<void> {
  const custody = { name: rt.vault.seal('基金托管户'), account: rt.vault.seal('110060000018010000'), bankCode: '105100000017' };
  await db.withTx('fund', (tx) =>
    saveFund(tx, { code, name: `基金${code}`, company: '测试基金管理有限公司', kind, custody, settlesIn, sells }),
  );
}

export async function tellDay({ db, rt, clock }: World, told: ToldDay): Promise<string> {
  const { fund, date, from, nav, per10k } = told;
  const of = { fund, date: date as BusinessDate, from: from as BusinessDate, nav };
  const day: FundDay = { ...of, per10k: per10k ?? null, sevenDay: null };
  const said = await db.withTx('fund-day', (tx) => takeFundDay(tx, day, { calendar: rt.calendar, nowMs: clock.now() }));
  return typeof said === 'string' ? said : said.code;
}

/** The orders whose trading day takes no more, as the exchange of files finds and marks them. */
export async function sendOrders({ db, clock, shardId }: World, platforms: readonly Id[]): Promise<string[]> {
  const now = clock.now();
  const today = naturalDate(now);
  return db.withTx('fund-orders', async (tx) => {
    await lockShard(tx, shardId, now);
    const open = await listFundOrders(tx, { shardId, states: ['created'], tradedUntil: today }, 1_000);
    const closed = open.filter(
      ({ platformId, tradingDate }) => platforms.includes(platformId) && tradingDate !== null && closedAt(tradingDate) <= now,
    );
    const ids = closed.map(({ id }) => id);
    const marked = await markFundOrdersSent(tx, ids, now);
    if (marked !== ids.length) throw new Error('an order was sent twice');
    return ids.map((id) => asId(id));
  });
}
