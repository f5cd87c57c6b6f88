import type { BusinessDate, Instant, Minor } from '../kernel/index.js';
import type { Tx } from '../runtime/index.js';
import { type Position, type Routable, type Route, routeOne } from './rules.js';
import { type ChannelTable, type ChannelTerms, channelTable, type TermsRow } from './terms.js';

const lim = (max: number | null) => ({ working: { min: 1, max }, off: { min: 1, max } });
const t = (
  payees: 'own-bank' | 'other-banks' | 'any',
  max: number | null,
  fee: number,
  hours: ChannelTerms['hours'] = { open: 'always' },
): ChannelTerms => ({
  reach: { payees },
  hours,
  rounds: [],
  arrives: 60,
  limits: lim(max),
  price: [{ upTo: null, fee }],
  capacity: null,
});
const from = '2010-01-01' as BusinessDate;
const rows: TermsRow[] = [
  { channel: 'book', validFrom: from, terms: t('own-bank', null, 0), source: 'x' },
  {
    channel: 'hvps',
    validFrom: from,
    terms: t('other-banks', null, 300, { open: 'working-days', from: '20:30', fromDay: 'day-before', to: '17:15' }),
    source: 'x',
  },
  { channel: 'beps', validFrom: from, terms: t('other-banks', 5_000_000, 50), source: 'x' },
  { channel: 'ibps', validFrom: from, terms: t('other-banks', 5_000_000, 60), source: 'x' },
  { channel: 'unionpay', validFrom: from, terms: t('other-banks', 5_000_000, 100), source: 'x' },
  { channel: 'psp', validFrom: from, terms: t('other-banks', 5_000_000, 120), source: 'x' },
  { channel: 'collect', validFrom: from, terms: t('any', null, 100), source: 'x' },
  { channel: 'psp-collect', validFrom: from, terms: t('any', null, 150), source: 'x' },
];
export async function loadChannelTable(_tx: Tx): Promise<ChannelTable> {
  return channelTable(rows, []);
}
export function routeBatch(
  payouts: readonly Routable[],
  position: Position,
  at: Instant,
): { routes: (Route & { payout: Routable })[]; cost: Minor; bound: Minor } {
  const routes = payouts.map((payout) => ({ ...routeOne(payout, position, at), payout }));
  const cost = routes.reduce((sum, route) => (route.channel === null ? sum : sum + route.cost), 0n);
  return { routes, cost, bound: cost };
}
