import { generateKeyPairSync } from 'node:crypto';
import type { Bank } from '../../../src/channels/simulator/index.js';
import { type BusinessDate, bankCodeCheck, type Minor, toWireAmount } from '../../../src/kernel/index.js';
import { type Client, openClient, type Stopwatch, signAs } from '../../demo/http.js';
import { usccOf } from '../../demo/people.js';
import type { Chance } from '../chance.js';
import type { Run } from './run.js';

export interface OpenMarket {
  readonly platformId: string;
  readonly custodyNo: string;
  readonly platform: Client;
  readonly firstDay: BusinessDate;
  readonly sellers: readonly { readonly account: string; readonly due: Minor }[];
}

interface Opening {
  readonly api: string;
  readonly bank: Bank;
  readonly admin: Client;
  readonly watch: Stopwatch;
  readonly chance: Chance;
  readonly sellers: number;
  readonly firstDay: BusinessDate;
}

const NAME = '通道演练有限公司';
const CUSTODY_NO = '9990106000002';
const CHUNK = 1_000;
const BANKS = ['10210000999', '10510000001', '10310000002', '10410000000', '30858400001', '30129000000'];
const what = 'opening';

/** A platform with as many sellers as payouts are wanted: one in ten banks with the custodian. */
export async function openMarket({ api, bank, admin, watch, chance, sellers, firstDay }: Opening): Promise<OpenMarket> {
  bank.openCustodyAccount(CUSTODY_NO, NAME);
  const own = { name: NAME, uscc: usccOf(99_999_998), custodyNo: CUSTODY_NO, openDate: firstDay };
  const opened = (await admin.call({ method: 'POST', path: '/admin/v1/platforms', body: own, what })) as { id: string };
  const pair = generateKeyPairSync('ed25519');
  const publicKey = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const keys = `/admin/v1/platforms/${opened.id}/keys`;
  const { id: keyId } = (await admin.call({ method: 'POST', path: keys, body: { publicKey }, what })) as { id: string };
  const platform = openClient(api, watch, signAs({ keyId, privateKey: pair.privateKey }));
  const accounts: string[] = [];
  for (let from = 0; from < sellers; from += CHUNK) {
    const body = Array.from({ length: Math.min(CHUNK, sellers - from) }, (_, place) => sellerOf(from + place, chance));
    const answer = (await platform.call({ method: 'POST', path: '/v1/sub-merchants/batches', body, what })) as {
      items: { subMerchant?: { account: string }; problem?: { code: string } }[];
    };
    for (const { subMerchant, problem } of answer.items) {
      if (subMerchant === undefined) throw new Error(`a seller was not opened: ${problem?.code}`);
      accounts.push(subMerchant.account);
    }
  }
  const due = accounts.map((account) => ({ account, due: amountOf(chance) }));
  return { platformId: opened.id, custodyNo: CUSTODY_NO, platform, firstDay, sellers: due };
}

function sellerOf(number: number, chance: Chance) {
  const name = `商户${number}有限公司`;
  const code = chance.one(BANKS);
  const account = `8${String(number).padStart(17, '0')}`;
  const bankCode = chance.happens(0.1) ? '' : code + bankCodeCheck(code);
  return {
    merchantNo: `S${number}`,
    party: { kind: 'company', name, idNo: usccOf(number) },
    settlementAccount: { name, account, bankCode },
  };
}

/** Mostly some hundred yuan, at times more than the systems for small payments take. */
function amountOf(chance: Chance): Minor {
  const size = chance.weighted([
    [100_00, 5],
    [5_000_00, 3],
    [60_000_00, 1],
    [400_000_00, 0.3],
  ] as const);
  return BigInt(1 + chance.below(size));
}

const money = (amount: Minor) => ({ amount: toWireAmount(amount), currency: 'CNY' });

/** Buyers pay for an order of each seller, which is split at once; every twentieth order has a fen over, which is refunded. */
export async function trade({ bank }: Run, { platform, sellers, custodyNo, firstDay }: OpenMarket): Promise<void> {
  const orders = sellers.map(({ account, due }, number) => ({ account, due, number, over: number % 20 === 0 ? 1n : 0n }));
  for (let from = 0; from < orders.length; from += CHUNK) {
    const chunk = orders.slice(from, from + CHUNK);
    const inflows = chunk.map(({ due, over, number }) => {
      return { reference: `P${number}`, amount: due + over, counterparty: '买家', text: `O${number}` };
    });
    bank.bank.inflows(custodyNo, firstDay, inflows);
    await instruct(
      platform,
      chunk.map(({ due, over, number }) => ({
        requestNo: `pay-${number}`,
        kind: 'payment',
        data: {
          ...{ orderNo: `O${number}`, amount: money(due + over), reference: `P${number}` },
          payer: { name: '买家', account: '6217000010001234567', bankCode: '105100000017' },
        },
      })),
    );
    await instruct(
      platform,
      chunk.map(({ account, due, number }) => ({
        requestNo: `split-${number}`,
        kind: 'split',
        data: { orderNo: `O${number}`, lines: [{ account, amount: money(due) }] },
      })),
    );
    const refunds = chunk.filter(({ over }) => over > 0n);
    await instruct(
      platform,
      refunds.map(({ number }) => {
        const data = { orderNo: `O${number}`, amount: money(1n), reason: '多付' };
        return { requestNo: `refund-${number}`, kind: 'refund', data };
      }),
    );
  }
}

async function instruct(platform: Client, given: readonly object[]): Promise<void> {
  if (given.length === 0) return;
  const answer = (await platform.call({
    method: 'POST',
    path: '/v1/instructions/batches',
    body: given.map((instruction) => `${JSON.stringify(instruction)}\n`).join(''),
    headers: { 'content-type': 'application/x-ndjson', prefer: 'wait=30' },
    what: 'instructions',
  })) as { undecided: number; lines: { state: string; code: string | null }[] };
  const wrong = answer.lines.find(({ state }) => state !== 'posted');
  if (answer.undecided > 0 || wrong !== undefined)
    throw new Error(`an instruction became ${wrong?.state ?? 'nothing'} ${wrong?.code ?? ''}`);
}
