import type { Asked } from '../world/world.js';

/**
 * What scenarios say of claims that change hands:
 *
 *   offer S1 P1 B1 lily-2 30.00 for 29.00 fee 1.00% until 2026-03-20 yes    a part of the claim that came of bid B1 (or was bought by C1)
 *   unoffer X1 S1 P1
 *   acquire C1 P1 S1 mona-2 10.00 for 9.66 yes                                  or `under M1`; `advanced` for S1: of what the platform advanced
 */
const AMOUNT = String.raw`(\d+\.\d\d)`;
const NOBODY = '1000000000000000001';
const minor = (text: string) => Number(text.replace('.', ''));
const money = (text: string) => ({ amount: minor(text), currency: 'CNY' as const });

interface TradeStage {
  readonly given: ReadonlyMap<string, { readonly id: string }>;
  account(name: string): string;
  mandate(name: string): string;
}

const idOf = (stage: TradeStage, name = '') => stage.given.get(name)?.id ?? NOBODY;
const verb = (form: string, kind: string, data: (stage: TradeStage, parts: string[]) => object) => ({
  form: new RegExp(`^${form}$`),
  read: (stage: TradeStage, parts: string[]): [string, Asked['data']] => [kind, data(stage, parts) as unknown as Asked['data']],
});

export const TRADE_VERBS = {
  offer: verb(
    `(\\S+) (\\S+) (\\S+) ${AMOUNT} for ${AMOUNT}(?: fee (\\S+)%)? until (\\S+)`,
    'claim-sale',
    (stage, [projectNo, claim, who = '', share = '', price = '', fee, until]) => ({
      ...{ projectNo, claim: `clm_${idOf(stage, claim)}`, account: `acc_${stage.account(who)}` },
      ...{ share: money(share), price: money(price), until: `${until}T00:00:00+08:00` },
      ...(fee === undefined ? {} : { fee: minor(fee) }),
    }),
  ),
  unoffer: verb('(\\S+) (\\S+)', 'claim-sale-cancel', (stage, [sale, projectNo]) => ({
    ...{ projectNo, sale: `cls_${idOf(stage, sale)}` },
  })),
  acquire: verb(
    `(\\S+) (\\S+) (\\S+) ${AMOUNT} for ${AMOUNT}(?: under (\\S+))?`,
    'claim-purchase',
    (stage, [projectNo, sale, who = '', share = '', amount = '', mandate]) => ({
      ...{ projectNo, account: `acc_${stage.account(who)}` },
      ...(sale === 'advanced' ? {} : { sale: `cls_${idOf(stage, sale)}` }),
      ...{ share: money(share), amount: money(amount) },
      ...(mandate === undefined ? {} : { mandate: `mdt_${stage.mandate(mandate)}` }),
    }),
  ),
};

export const TRADE_KINDS = { 'claim-sale': 'offer', 'claim-sale-cancel': 'unoffer', 'claim-purchase': 'acquire' };
