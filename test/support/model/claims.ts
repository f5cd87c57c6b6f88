import type { Given } from '../given.js';
import type { Lending } from './lending.js';
import type { LendingHands, ModelClaim, ModelProject } from './lending-books.js';

/** What platforms give on a lending platform; whatever else moves members' money is refused there. Staff gives a little more. */
const PLATFORM_GIVES = [
  ...[
    'top-up',
    'withdrawal',
    'own-transfer',
    'account-closing',
    'fee',
    'transfer',
    'bid',
    'bid-cancel',
    'lend-out',
    'miscarriage',
  ],
  ...['repayment', 'compensation', 'recovery', 'claim-sale', 'claim-sale-cancel', 'claim-purchase'],
];
const STAFF_GIVES = [
  ...PLATFORM_GIVES,
  ...['acquirer-fee', 'hold', 'release', 'correction', 'channel-settled', 'suspense-credit'],
];

/** Whether the strict profile keeps this out. */
export function isForbiddenBy(profile: string, { kind, origin }: Given): boolean {
  if (profile !== 'lending' || origin === 'S') return false;
  return !(origin === 'O' ? STAFF_GIVES : PLATFORM_GIVES).includes(kind);
}

interface Sale {
  readonly id: string;
  readonly project: ModelProject;
  readonly claim: ModelClaim;
  readonly share: bigint;
  readonly price: bigint;
  readonly fee: bigint;
  readonly until: number;
  /** How often the project had been paid on. */
  readonly payments: number;
  sold: bigint;
  paid: bigint;
  over: boolean;
}

interface TradeData {
  readonly account: string;
  readonly claim: string;
  /** Undefined: of what the platform advanced. */
  readonly sale: string | undefined;
  readonly share: { readonly amount: number };
  readonly price: { readonly amount: number };
  readonly amount: { readonly amount: number };
  readonly fee?: number;
  readonly until: string;
}

const bare = (wire: string) => wire.slice(4);
const dataOf = ({ data }: Given) => data as unknown as TradeData;

/** Claims that change hands, for the plain bank: an offer knows how often its project had been paid on, and is over when that is no more so. */
export class ClaimTrade {
  readonly #sales: Sale[] = [];
  readonly #lending: Lending;
  readonly #hands: LendingHands;

  constructor(lending: Lending, hands: LendingHands) {
    this.#lending = lending;
    this.#hands = hands;
  }

  /** By kind. */
  readonly rules: Readonly<Record<string, (given: Given) => void>> = {
    'claim-sale': (given) => this.#offer(given),
    'claim-sale-cancel': (given) => {
      this.#lending.project(given);
      this.#open(given).over = true;
    },
    'claim-purchase': (given) => this.#buy(given),
  };

  #isOpen({ over, until, payments, project, sold, share }: Sale): boolean {
    return !over && sold < share && this.#hands.now() < until && payments === project.payments;
  }

  #open(given: Given): Sale {
    const id = bare(dataOf(given).sale ?? '');
    return this.#sales.find((sale) => sale.id === id && this.#isOpen(sale)) ?? this.#hands.no('SALE_NOT_OPEN');
  }

  #electronic(platform: string, account: string): void {
    const type = this.#hands.type(platform, account) ?? this.#hands.no('ACCOUNT_NOT_FOUND');
    if (type !== 'class-2' && type !== 'class-3') this.#hands.no('ACCOUNT_TYPE_NOT_ALLOWED');
  }

  #offer(given: Given): void {
    const hands = this.#hands;
    const data = dataOf(given);
    const project = this.#lending.project(given);
    const account = bare(data.account);
    this.#electronic(given.platform, account);
    if (project.state !== 'lent') hands.no('PROJECT_STATE');
    const mine = project.claims.filter((each) => each.account === account);
    const claim = mine.find((each) => each.id === bare(data.claim)) ?? hands.no('CLAIM_NOT_FOUND');
    const until = Date.parse(data.until);
    if (until <= hands.now()) hands.no('SALE_TERMS');
    const share = BigInt(data.share.amount);
    let free = claim.left;
    for (const sale of this.#sales) if (sale.claim === claim && this.#isOpen(sale)) free -= sale.share - sale.sold;
    if (share > free) hands.no('SALE_EXCEEDED');
    const whole = project.claims.reduce((all, each) => all + each.left, 0n);
    if (BigInt(data.price.amount) > (this.#lending.loans.worth(project) * share) / whole) hands.no('SALE_TERMS');
    hands.mayAct(account);
    hands.willed(given, { account, amount: 0n, project: project.projectNo });
    const price = BigInt(data.price.amount);
    const sale = { id: given.id, project, claim, share, price, fee: BigInt(data.fee ?? 0), until, payments: project.payments };
    this.#sales.push({ ...sale, sold: 0n, paid: 0n, over: false });
  }

  #buy(given: Given): void {
    const hands = this.#hands;
    const data = dataOf(given);
    const project = this.#lending.project(given);
    const account = bare(data.account);
    this.#electronic(given.platform, account);
    if (this.#lending.isParty(project, account)) hands.no('LENDER_NOT_ALLOWED');
    if (project.state !== 'lent') hands.no('PROJECT_STATE');
    if (data.sale === undefined) {
      this.#takeOver(given, project);
      return;
    }
    const sale = this.#open(given);
    if (hands.owner(sale.claim.account) === hands.owner(account)) hands.no('LENDER_NOT_ALLOWED');
    const [share, amount] = [BigInt(data.share.amount), BigInt(data.amount.amount)];
    if (share > sale.share - sale.sold) hands.no('SALE_EXCEEDED');
    // All that was sold of it with this part costs its part of the price, cut to the fen.
    if (amount !== (sale.price * (sale.sold + share)) / sale.share - sale.paid) hands.no('PRICE_DIFFERS');
    const fee = (amount * sale.fee * 2n + 10_000n) / 20_000n;
    const gives = [
      { to: sale.claim.account, amount: amount - fee },
      ...(fee === 0n ? [] : [{ to: hands.own(project.platform, 'commission'), amount: fee }]),
    ];
    hands.move(given, [{ from: account, amount }], gives, { account, amount, project: project.projectNo });
    sale.sold += share;
    sale.paid += amount;
    sale.claim.left -= share;
    project.claims.push({ id: given.id, account, left: share, earned: 0n });
  }

  /** Of what the platform's advance account has lent, at face. */
  #takeOver(given: Given, project: ModelProject): void {
    const hands = this.#hands;
    const data = dataOf(given);
    const account = bare(data.account);
    const { advanceAccount } = this.#lending.modes(project.platform);
    const claim = project.claims.find((each) => each.account === advanceAccount && each.left > 0n) ?? hands.no('SALE_NOT_OPEN');
    const [share, amount] = [BigInt(data.share.amount), BigInt(data.amount.amount)];
    if (share > claim.left) hands.no('SALE_EXCEEDED');
    if (amount !== share) hands.no('PRICE_DIFFERS');
    const will = { account, amount, project: project.projectNo };
    hands.move(given, [{ from: account, amount }], [{ to: claim.account, amount }], will);
    claim.left -= share;
    project.claims.push({ id: given.id, account, left: share, earned: 0n });
  }
}
